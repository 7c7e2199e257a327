import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ReportInput } from '../../src/report/contract.ts';
import { createReportRoom } from '../../src/report/index.ts';
import { sidesNamed } from '../../src/report/lint/laterality.ts';
import { sampleInput } from './sample.ts';

const room = createReportRoom();

function issues(change: (input: ReportInput) => void): string[] {
  const input = sampleInput();
  change(input);
  return room.lint(input).map((issue) => `${issue.severity} ${issue.code}`);
}

const side = (code: string) => (input: ReportInput) => {
  input.serviceRequest.bodySite = [
    {
      coding: [{ system: 'http://snomed.info/sct', code: '61685007' }],
      extension: [{ url: 'x', valueCodeableConcept: { coding: [{ code }] } }],
    },
  ];
};

const right = side('24028007');
const left = side('7771000');

test('a complete report has no issue', () => {
  expect(issues(() => {})).toEqual([]);
});

test('each empty chapter blocks', () => {
  for (const chapter of ['indication', 'technique', 'results', 'conclusion'] as const) {
    expect(issues((input) => Object.assign(input.text, { [chapter]: '  \n' }))).toContain(`error ${chapter}-missing`);
  }
});

test('a report that names only the other side blocks; one that explains both sides does not', () => {
  const found = (request: (input: ReportInput) => void, results: string, conclusion: string) =>
    issues((input) => {
      request(input);
      Object.assign(input.text, { results, conclusion });
    });
  expect(found(right, 'Genou gauche : épanchement.', 'Épanchement.')).toContain('error laterality-contradiction');
  expect(found(left, 'Genou droit normal.', 'Normal.')).toContain('error laterality-contradiction');
  expect(found(right, 'Demande pour le genou droit, genou gauche exploré.', 'Genou gauche normal.')).toEqual([
    'warning laterality-conclusion',
  ]);
  expect(found(right, 'Genou droit : épanchement.', 'Épanchement à droite.')).toEqual([]);
  expect(issues(right)).toEqual(['warning laterality-missing']);
});

test('the side of the images counts where the request names none', () => {
  const images =
    (code: string, more: string[] = []) =>
    (input: ReportInput) => {
      delete input.serviceRequest.bodySite;
      input.study!.series = [code, ...more].map((side, index) => ({
        uid: `2.25.${index}`,
        modality: { code: 'DX' },
        laterality: { code: side },
      }));
      Object.assign(input.text, { results: 'Genou gauche : épanchement.', conclusion: 'Épanchement.' });
    };
  expect(issues(images('24028007'))).toContain('error laterality-contradiction');
  expect(issues(images('7771000'))).not.toContain('error laterality-contradiction');
  expect(issues(images('24028007', ['7771000']))).not.toContain('error laterality-contradiction');
  expect(issues(images('')).filter((each) => each.includes('laterality'))).toEqual([]);
});

test('muscles, angles and chambers of the heart name no side', () => {
  for (const phrase of [
    'muscle droit fémoral',
    'grands droits',
    'angle droit',
    'ventricule gauche',
    'oreillette droite',
  ]) {
    expect(sidesNamed(phrase)).toEqual({ right: false, left: false });
  }
  expect(sidesNamed('à DROITE')).toEqual({ right: true, left: false });
  expect(sidesNamed('atteinte bilatérale')).toEqual({ right: true, left: true });
});

test('organs of the other sex are shown, not blocking', () => {
  const found = issues((input) => (input.text.results = 'Prostate de volume normal.'));
  expect(found).toEqual(['warning sex-organ-conflict']);
  expect(
    issues((input) => {
      Object.assign(input.patient, { gender: 'male' });
      input.text.results = 'Utérus antéversé.';
    }),
  ).toContain('warning sex-organ-conflict');
  expect(issues((input) => (input.text.results = 'Utérus et ovaires normaux.'))).toEqual([]);
});

test('a scanner report without any dose is shown; a dose in the technique suffices', () => {
  expect(issues((input) => delete input.dose)).toEqual(['warning dose-missing']);
  expect(
    issues((input) => {
      delete input.dose;
      input.text.technique += ' PDL 500 mGy.cm.';
    }),
  ).toEqual([]);
  expect(issues((input) => (input.dose = { dlpMGyCm: -1 }))).toContain('error dose-invalid');
});

test('a contrast product denied by the technique is shown', () => {
  expect(issues((input) => (input.contrast = { text: 'Iohexol 80 mL' }))).toEqual(['warning contrast-contradiction']);
  expect(
    issues((input) => {
      input.contrast = { text: 'Iohexol 80 mL' };
      input.text.technique = 'Acquisition sans puis avec injection.';
    }),
  ).toEqual([]);
});

test('inconsistencies of the INS with the traits are shown', () => {
  expect(issues((input) => Object.assign(input.patient, { gender: 'male' }))).toContain('warning ins-sex');
  expect(issues((input) => Object.assign(input.patient, { birthDate: '1986-04-17' }))).toContain(
    'warning ins-birth-year',
  );
  expect(issues((input) => Object.assign(input.patient, { birthDate: '1985-05-17' }))).toContain(
    'warning ins-birth-month',
  );
  expect(issues((input) => input.patient.extension!.shift())).toEqual(['warning ins-withheld']);
});

test('people and structures without national identifier block, for the document would name nobody', () => {
  expect(issues((input) => (input.radiologist.identifier = []))).toContain('error radiologist-rpps-missing');
  expect(issues((input) => (input.establishment.identifier = []))).toContain('error establishment-incomplete');
  expect(issues((input) => (input.patient.identifier = []))).toContain('error patient-identifier-missing');
  expect(issues((input) => delete input.requester)).toEqual(['warning requester-missing']);
});

test('identifiers and versions that disagree block', () => {
  const document = (change: Partial<ReportInput['document']>) =>
    issues((input) => Object.assign(input.document, change));
  expect(document({ version: 2 })).toEqual(['error document-version']);
  expect(document({ replaces: '2.25.3' })).toEqual(['error document-version']);
  expect(document({ version: 2, replaces: sampleInput().document.oid })).toEqual(['error document-replaces-itself']);
  expect(document({ oid: 'abc' })).toEqual(['error document-identifier']);
  expect(document({ oid: sampleInput().document.setOid })).toEqual(['error document-set']);
});

test('passages left to complete are shown, characters no font has block', () => {
  expect(issues((input) => (input.text.results += ' [à compléter]'))).toEqual(['warning results-unfinished']);
  expect(issues((input) => (input.text.results += ' 漢'))).toEqual(['error results-unprintable']);
});

test('no text makes the lint throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (results, technique) => {
      const input = sampleInput();
      Object.assign(input.text, { results, technique });
      expect(Array.isArray(room.lint(input))).toBe(true);
    }),
  );
});
