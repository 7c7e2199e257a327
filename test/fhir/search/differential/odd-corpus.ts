/**
 * What rarely meets a search: the first and the last years, leap seconds, far zones, several values of everything, units of one dimension
 * side by side, one name in several forms of Unicode, separators inside values, long texts, contained resources.
 */
import type { Observation, Patient, Resource } from '@medplum/fhirtypes';
import type { Random } from './random.ts';

type Made = Resource & { id: string };

const dates = [
  '0001-01-01',
  '0001',
  '0099-12',
  '1582-10-10',
  '1969-12-31T23:59:59Z',
  '2016-12-31T23:59:60Z',
  '2024-02-29',
  '2024-02-29T00:00:00+14:00',
  '2024-02-28T12:00:00-12:00',
  '2024-02-29T10:00:00.5Z',
  '2024-02-29T10:00:00.123456Z',
  '2024-12',
  '2025',
  '9998-12-31',
];

const names = [
  'Éloïse',
  'E\u0301loi\u0308se',
  'ELOÏSE',
  'ﬁnance',
  'Ａlpha',
  'İstanbul',
  'Straße',
  'Łukasz',
  '한국어',
  'ʻOkina',
  'Jean\u00a0Paul',
  'Jean\u00adPaul',
  'O’Brien, Jr.',
  'a|b$c\\d',
  '𝒜lice',
  `${'très long '.repeat(40)}fin`,
];

const quantities = [
  { value: 1, code: 'g' },
  { value: 1000, code: 'mg' },
  { value: 1.0e6, code: 'ug' },
  { value: 0.001, code: 'kg' },
  { value: 37, code: 'Cel' },
  { value: 311, code: 'K' },
  { value: 99.5, code: '[degF]' },
  { value: 120, code: 'mm[Hg]' },
  { value: 16, code: 'kPa' },
  { value: 5, code: '10*3/uL' },
  { value: 5, code: '10*9/L' },
  { value: 0, code: 'mg' },
  { value: -40, code: 'Cel' },
];

const tokens = ['a,b', 'a|b', 'a$b', 'a\\b', 'A', 'a', ' ', 'é', 'e\u0301'];

export function oddResources(random: Random): Made[] {
  const some = <T>(list: readonly T[], most: number) =>
    Array.from({ length: random.integer(most + 1) }, () => random.one(list));
  const period = () => {
    const [start, end] = [random.one(dates), random.one(dates)].sort();
    return random.one([{ start: start! }, { end: end! }, { start: start!, end: end! }]);
  };
  const patient = (n: number): Patient & { id: string } => ({
    resourceType: 'Patient',
    id: `odd-patient-${n}`,
    name: some(names, 3).map((family) => ({ family, given: some(names, 2) })),
    identifier: some(tokens, 3).map((value) => ({ system: random.one(['urn:a', 'urn:a|b', 'urn:a,b']), value })),
    address: some(names, 2).map((city) => ({ city, line: some(names, 2) })),
    ...(random.chance(0.7) ? { birthDate: random.one(dates).slice(0, 10) } : {}),
    ...(random.chance(0.3) ? { deceasedDateTime: random.one(dates) } : { deceasedBoolean: random.chance(0.5) }),
    ...(random.chance(0.4) ? { managingOrganization: { reference: '#in' } } : {}),
    contained: [{ resourceType: 'Organization', id: 'in', name: random.one(names) }],
  });
  const observation = (n: number): Observation & { id: string } => ({
    resourceType: 'Observation',
    id: `odd-observation-${n}`,
    status: 'final',
    code: { coding: some(tokens, 3).map((code) => ({ system: random.one(['urn:a', 'urn:a|b']), code })), text: 'x' },
    ...(random.chance(0.3) ? { method: { text: random.one(names) } } : {}),
    subject: { reference: `Patient/odd-patient-${random.integer(20)}` },
    ...random.one([{ effectiveDateTime: random.one(dates) }, { effectivePeriod: period() }, {}]),
    ...(random.chance(0.8) ? { valueQuantity: measured(random) } : { valueString: random.one(names) }),
    component: some(tokens, 2).map((code) => ({ code: { coding: [{ code }] }, valueQuantity: measured(random) })),
  });
  return [...Array.from({ length: 20 }, (_, n) => patient(n)), ...Array.from({ length: 40 }, (_, n) => observation(n))];
}

function measured(random: Random) {
  const { value, code } = random.one(quantities);
  return { value, code, unit: code, ...(random.chance(0.9) ? { system: 'http://unitsofmeasure.org' } : {}) };
}
