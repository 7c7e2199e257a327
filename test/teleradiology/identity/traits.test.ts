import type { Patient } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareTraits,
  contradictions,
  imageContradictions,
} from '../../../src/teleradiology/identity/compare-traits.ts';
import { isNearlyTheSame, nearDates } from '../../../src/teleradiology/identity/homonyms.ts';
import { isNear, lettersOf } from '../../../src/teleradiology/identity/names.ts';
import { traitsOfImages, traitsOfPatient } from '../../../src/teleradiology/identity/traits.ts';

const birthList = 'https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name';
const piType = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'PI' }] };

interface Told {
  family: string;
  given: string;
  list?: string;
  used?: string;
  birthDate?: string;
  gender?: Patient['gender'];
  ins?: string;
  ipp?: string;
}

const patientOf = ({ family, given, list, used, birthDate, gender, ins, ipp }: Told): Patient => ({
  resourceType: 'Patient',
  name: [
    {
      use: 'official',
      family,
      given: [given],
      ...(list ? { extension: [{ url: birthList, valueString: list }] } : {}),
    },
    ...(used ? [{ use: 'usual' as const, family: used, given: [given] }] : []),
  ],
  ...(birthDate ? { birthDate } : {}),
  ...(gender ? { gender } : {}),
  identifier: [
    ...(ins ? [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: ins }] : []),
    ...(ipp ? [{ type: piType, system: 'urn:oid:2.999.1', value: ipp }] : []),
  ],
});

const verdict = (one: Told, other: Told, trait: string) =>
  compareTraits(traitsOfPatient(patientOf(one)), traitsOfPatient(patientOf(other))).find(
    (each) => each.trait === trait,
  );
const marie: Told = {
  family: 'LE GOFF',
  given: 'MARIE',
  list: 'MARIE ANNE LOUISE',
  used: 'DUPONT',
  birthDate: '1950-04-17',
  gender: 'female',
};
const seen = (patientName: string, more = {}) =>
  imageContradictions(patientOf(marie), { patientName, birthDate: '1950-04-17', sex: 'F', ...more });

const word = fc.stringMatching(/^[A-Z]{3,9}$/);
const told = fc.record({
  family: fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(' ')),
  given: fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join('-')),
  birthDate: fc
    .date({ min: new Date('1905-01-01'), max: new Date('2026-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  gender: fc.constantFrom<Patient['gender']>('male', 'female', 'unknown'),
  ins: fc.stringMatching(/^[12]\d{14}$/),
  ipp: fc.stringMatching(/^\d{6,10}$/),
});

/** The same name as another keyboard would write it. */
const rewritten = (name: string): string =>
  name.replaceAll('E', 'é').replaceAll('C', 'ç').replaceAll('-', ' ').replaceAll(' ', "'").toLowerCase();

describe('the comparison of traits', () => {
  it('is the same from either side', () => {
    fc.assert(
      fc.property(told, told, (one, other) => {
        const [a, b] = [traitsOfPatient(patientOf(one)), traitsOfPatient(patientOf(other))];
        expect(compareTraits(a, b)).toEqual(compareTraits(b, a));
      }),
    );
  });

  it('finds nobody different from themselves, nor from who is described less', () => {
    fc.assert(
      fc.property(told, fc.subarray(['birthDate', 'gender', 'ins', 'ipp'] as const), (one, left) => {
        const less: Told = { ...one };
        for (const name of left) delete less[name];
        const found = compareTraits(traitsOfPatient(patientOf(one)), traitsOfPatient(patientOf(less)));
        expect(found.filter((each) => each.verdict === 'different')).toEqual([]);
      }),
    );
  });

  it('never lets another name, another sex or a number of the same domain pass', () => {
    fc.assert(
      fc.property(told, told, (one, other) => {
        fc.pre(lettersOf(one.family) !== lettersOf(other.family) && lettersOf(one.given) !== lettersOf(other.given));
        const found = contradictions(patientOf(one), patientOf(other));
        expect(found).toEqual(expect.arrayContaining(['birth-name', 'given-name']));
        if (one.ins !== other.ins) expect(verdict(one, other, 'ins')?.verdict).toBe('different');
        if (one.ipp !== other.ipp) expect(verdict(one, other, 'ipp')?.verdict).toBe('different');
      }),
    );
  });

  it('takes accents, hyphens, apostrophes, case and spaces for ways of writing', () => {
    fc.assert(
      fc.property(told, (one) => {
        const other = { ...one, family: rewritten(one.family), given: rewritten(one.given) };
        expect(contradictions(patientOf(one), patientOf(other))).toEqual([]);
      }),
    );
    expect(verdict({ ...marie, family: 'Lœgoff' }, { ...marie, family: 'LOEGOFF' }, 'birth-name')).toMatchObject({
      verdict: 'tolerated',
      rule: 'writing',
    });
  });

  it('takes a date for another of the same year only by the conventions for an unknown day or month, and only under the same name', () => {
    fc.assert(
      fc.property(told, told, (one, other) => {
        fc.pre(one.birthDate !== other.birthDate && one.birthDate.slice(0, 4) !== other.birthDate.slice(0, 4));
        const found = compareTraits(
          traitsOfPatient(patientOf(one)),
          traitsOfPatient(patientOf({ ...one, birthDate: other.birthDate })),
        );
        expect(found.find(({ trait }) => trait === 'birth-date')?.verdict).toBe('different');
      }),
    );
    for (const rough of ['1950', '1950-04', '1950-04-01', '1950-12-31', '1950-01-01', '1950-01-17'])
      expect(verdict(marie, { ...marie, birthDate: rough }, 'birth-date')).toMatchObject({ rule: 'incomplete-date' });
    for (const wrong of ['1950-04-18', '1950-05-17', '1950-05-01', '1951-12-31', '1905-04-17', '1950-07-14'])
      expect(verdict(marie, { ...marie, birthDate: wrong }, 'birth-date')?.verdict).toBe('different');
    expect(verdict(marie, { ...marie, given: 'JEANNE', birthDate: '1950-12-31' }, 'birth-date')?.verdict).toBe(
      'different',
    );
  });

  it('compares two INS of one kind, and never a temporary number with a permanent one', () => {
    const nir = '285043306000123';
    expect(verdict({ ...marie, ins: nir }, { ...marie, ins: nir.slice(0, 13) }, 'ins')?.verdict).toBe('tolerated');
    expect(verdict({ ...marie, ins: nir }, { ...marie, ins: '285043306000199' }, 'ins')?.verdict).toBe('different');
    const nia = patientOf(marie);
    nia.identifier = [{ system: 'urn:oid:1.2.250.1.213.1.4.9', value: '785043306000123' }];
    const found = compareTraits(traitsOfPatient(patientOf({ ...marie, ins: nir })), traitsOfPatient(nia));
    expect(found.find(({ trait }) => trait === 'ins')?.verdict).toBe('unknown');
  });
});

describe('what a scanner was filled with', () => {
  it.each([
    ['LE GOFF^MARIE', 'the name of birth'],
    ['Dupont^Marie', 'the name in use'],
    ['LE GOFF DUPONT^MARIE', 'both names'],
    ['DUPONT-LE GOFF^MARIE', 'both names, the other way round'],
    ['LEGOFF^MARIE ANNE', 'the first ones of the list of birth'],
    ['LE GOFF^MARIE^ANNE LOUISE', 'middle names'],
    ['LE GOFF MARIE', 'everything in one component'],
    ['LE GOFF^MARIE=漢字', 'another representation behind'],
  ])('%s is the same patient: %s', (name) => {
    expect(seen(name)).toEqual([]);
  });

  it.each([
    ['LE GOFF^ANNE', ['given-name']],
    ['LE GOFF^M', ['given-name']],
    ['LE GOFFIC^MARIE', ['birth-name']],
    ['GOFF^MARIE', ['birth-name']],
    ['LE GOFF^MARIE LOUISE', ['given-name']],
    ['MARIE^LE GOFF', ['birth-name', 'given-name']],
  ])('%s is another patient', (name, traits) => {
    expect(seen(name)).toEqual(traits);
  });

  it('is a cut name only where a machine has no more room', () => {
    const long = patientOf({ family: 'DE LA ROCHEFOUCAULD', given: 'MARIE-CHRISTINE' });
    expect(imageContradictions(long, { patientName: 'DE LA ROCHEFOUCAULD^MARIE-C' })).toEqual([]);
    expect(imageContradictions(long, { patientName: 'DE LA ROCHEFOUCA' })).toEqual(['birth-name']);
    const short = patientOf({ family: 'MARTINEZ', given: 'ANNE-MARIE' });
    expect(imageContradictions(short, { patientName: 'MARTIN^ANNE' })).toEqual(['birth-name', 'given-name']);
  });

  it('contradicts by birth date and sex whatever the name, and says nothing where it is empty', () => {
    expect(seen('LE GOFF^MARIE', { birthDate: '1950-04-18' })).toEqual(['birth-date']);
    expect(seen('LE GOFF^MARIE', { sex: 'M' })).toEqual(['sex']);
    expect(seen('LE GOFF^MARIE', { sex: 'O' })).toEqual([]);
    expect(imageContradictions(patientOf(marie), {})).toEqual([]);
    expect(traitsOfImages({ patientName: '^' }).otherFamilies).toEqual([]);
  });
});

describe('a homonym', () => {
  const near = (one: Told, other: Told) =>
    isNearlyTheSame(traitsOfPatient(patientOf(one)), traitsOfPatient(patientOf(other)));

  it('differs by a letter, a further given name, or has its names changed over', () => {
    const one: Told = { family: 'LEGRAND', given: 'THOMAS' };
    for (const other of [
      { family: 'LEGRANT', given: 'THOMAS' },
      { family: 'LE GRAND', given: 'TOMAS' },
      { family: 'LEGRAND', given: 'THOMAS-PAUL' },
      { family: 'THOMAS', given: 'LEGRAND' },
    ])
      expect(near(one, other)).toBe(true);
    for (const other of [
      { family: 'LEGRIS', given: 'THOMAS' },
      { family: 'LEGRAND', given: 'PAUL' },
    ])
      expect(near(one, other)).toBe(false);
    expect(near({ ...one, gender: 'male' }, { ...one, gender: 'female' })).toBe(false);
  });

  it('is looked for under the date itself and the mistakes that are made with dates', () => {
    expect(nearDates('1985-04-07')).toEqual(
      expect.arrayContaining(['1985-04-07', '1985-07-04', '1985-04-08', '1984-04-07']),
    );
    expect(nearDates('1985-03-31')).not.toContain('1985-02-31');
    fc.assert(
      fc.property(told, ({ birthDate }) => {
        for (const date of nearDates(birthDate)) expect(Number.isNaN(Date.parse(date))).toBe(false);
      }),
    );
  });

  it('is near whoever can be written from the other by one keystroke, from either side', () => {
    fc.assert(
      fc.property(word, word, fc.nat(), (one, other, at) => {
        expect(isNear(one, other)).toBe(isNear(other, one));
        const place = at % one.length;
        expect(isNear(one, one.slice(0, place) + one.slice(place + 1))).toBe(true);
        expect(isNear(one, `${one.slice(0, place)}Z${one.slice(place)}`)).toBe(true);
      }),
    );
  });
});
