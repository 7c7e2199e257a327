import fc from 'fast-check';
import { expect, test } from 'vitest';
import { datamatrixModules, insDatamatrixText, teleserviceForm } from '../../src/report/datamatrix.ts';
import { patientIdentity } from '../../src/report/identity.ts';
import { encodeInsDatamatrix, parseInsDatamatrix } from '../../src/report/index.ts';
import { isInsKeyValid } from '../../src/report/ins-key.ts';
import { samplePatient } from './sample.ts';

const gs = '\u001d';
const header = 'IS010000000000000000000000';

test('the strings published as test vectors are built to the letter', () => {
  expect(
    encodeInsDatamatrix({
      matricule: '277010115400329',
      oid: '1.2.250.1.213.1.4.8',
      givenList: 'SARAH-LOU ANNA',
      birthFamily: 'GARCIA-HAMMADI',
      sex: 'F',
      birthDate: '21-01-1977',
      birthPlaceCode: '01154',
    }),
  ).toBe(
    `${header}S1277010115400329S21.2.250.1.213.1.4.8${gs}S3SARAH-LOU ANNA${gs}S4GARCIA-HAMMADI${gs}S5FS621-01-1977S701154`,
  );
  const second = encodeInsDatamatrix({
    matricule: '185057512345673',
    oid: '1.2.250.1.213.1.4.8',
    givenList: 'ADA',
    birthFamily: 'LOVELACE',
    sex: 'F',
    birthDate: '10-12-1815',
    birthPlaceCode: '99100',
  });
  expect(second).toBe(
    `${header}S1185057512345673S21.2.250.1.213.1.4.8${gs}S3ADA${gs}S4LOVELACE${gs}S5FS610-12-1815S799100`,
  );
  expect(second).toHaveLength(104);
});

test('an OID that fills its block takes no separator', () => {
  expect(insDatamatrixText(patientIdentity(samplePatient()))).toContain('S21.2.250.1.213.1.4.10S3CAMILLE');
});

const name = fc
  .stringMatching(/^[A-Z][A-Z' -]{0,60}[A-Z]$/)
  .map(teleserviceForm)
  .filter((text) => text.length > 0);

test('what is encoded is read back, whatever a scanner makes of the separator', () => {
  fc.assert(
    fc.property(
      name,
      name,
      fc.constantFrom('1.2.250.1.213.1.4.8', '1.2.250.1.213.1.4.10'),
      fc.boolean(),
      (given, family, oid, placed) => {
        const content = {
          matricule: '285043306321776',
          oid,
          givenList: given,
          birthFamily: family,
          sex: 'F',
          birthDate: '17-04-1985',
          birthPlaceCode: placed ? '33063' : undefined,
        };
        const text = encodeInsDatamatrix(content);
        for (const scanned of [text, text.replaceAll(gs, '<GS>'), text.replaceAll(gs, '|'), text.replaceAll(gs, '')]) {
          expect(parseInsDatamatrix(scanned)).toEqual(content);
        }
      },
    ),
  );
});

test('a name of a hundred characters and more is cut to its block, without separator', () => {
  const text = encodeInsDatamatrix({
    matricule: '285043306321776',
    oid: '1.2.250.1.213.1.4.8',
    givenList: 'A'.repeat(130),
    birthFamily: 'B',
    sex: 'F',
    birthDate: '17-04-1985',
  });
  expect(text).toContain(`S3${'A'.repeat(100)}S4B`);
});

test('the symbol is square and carries the finder pattern of ECC 200', () => {
  const modules = datamatrixModules(`${header}S1`);
  const size = modules.length;
  expect(modules.every((row) => row.length === size)).toBe(true);
  expect(modules.every((row) => row[0])).toBe(true);
  expect(modules[size - 1]!.every(Boolean)).toBe(true);
});

test('text that is no INS datamatrix is refused', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(parseInsDatamatrix(text)).toBeUndefined();
    }),
  );
  expect(parseInsDatamatrix(`${header}S9x`)).toBeUndefined();
});

test('the control key accepts the published matricules and no other digit in any place', () => {
  const valid = ['279035121518989', '277010115400329', '146026322000196', '285052A00412306', '248039263001064'];
  for (const matricule of valid) expect(isInsKeyValid(matricule)).toBe(true);
  for (const matricule of ['288091234567823', '246037433000291']) expect(isInsKeyValid(matricule)).toBe(false);
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.nat(14), fc.nat(9), (matricule, place, digit) => {
      const changed = matricule.slice(0, place) + digit + matricule.slice(place + 1);
      fc.pre(changed !== matricule && /\d/.test(matricule[place]!));
      expect(isInsKeyValid(changed)).toBe(false);
    }),
  );
});

test('the INS is withheld from any identity that is not wholly qualified', () => {
  const changes: [string, (patient: ReturnType<typeof samplePatient>) => void][] = [
    ['provisional', (patient) => (patient.extension![0]!.extension![0]!.valueCoding!.code = 'PROV')],
    ['no status', (patient) => patient.extension!.shift()],
    ['no birth place', (patient) => patient.extension!.pop()],
    ['no birth date', (patient) => delete patient.birthDate],
    ['incomplete date', (patient) => (patient.birthDate = '1985')],
    ['no sex', (patient) => (patient.gender = 'unknown')],
    ['no name', (patient) => delete patient.name![0]!.family],
    ['former INS', (patient) => (patient.identifier![0]!.use = 'old')],
    ['health-insurance number', (patient) => (patient.identifier![0]!.type!.coding![0]!.code = 'NH')],
    [
      'wrong key in production',
      (patient) =>
        Object.assign(patient.identifier![0]!, { system: 'urn:oid:1.2.250.1.213.1.4.8', value: '288091234567823' }),
    ],
    ['two INS', (patient) => patient.identifier!.push({ ...patient.identifier![0]!, value: '277010115400329' })],
    [
      'doubtful',
      (patient) =>
        patient.extension!.push({
          url: patient.extension![0]!.url,
          extension: [{ url: 'identityStatus', valueCoding: { code: 'DOUT' } }],
        }),
    ],
  ];
  expect(patientIdentity(samplePatient()).ins).toBeDefined();
  for (const [, change] of changes) {
    const patient = samplePatient();
    change(patient);
    const identity = patientIdentity(patient);
    expect(identity.ins).toBeUndefined();
    expect(insDatamatrixText(identity)).toBeUndefined();
  }
});
