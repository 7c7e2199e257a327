import type { Resource, ResourceType } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import { type Filter, parseFilter } from '../../../src/fhir/search/filter-syntax.ts';
import type { RestReads } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const loinc = 'http://loinc.org';
const resources: (Resource & { id: string })[] = [
  {
    resourceType: 'Patient',
    id: 'pet',
    active: true,
    name: [{ family: 'Carpet (test)', given: ['Peter', 'Jean, Marie'] }],
    birthDate: '2014-10-10',
    gender: 'male',
    generalPractitioner: [{ reference: 'Practitioner/noa' }],
  },
  {
    resourceType: 'Patient',
    id: 'ann',
    active: false,
    name: [{ family: 'Ann' }],
    birthDate: '1980-01',
    gender: 'female',
  },
  { resourceType: 'Patient', id: 'bare' },
  { resourceType: 'Practitioner', id: 'noa', name: [{ family: 'Noa' }], active: true },
  ...['pet', 'ann'].map((id, n): Resource & { id: string } => ({
    resourceType: 'Observation',
    id: `weight-${id}`,
    status: 'final',
    code: { coding: [{ system: loinc, code: '29463-7' }] },
    subject: { reference: `Patient/${id}` },
    effectivePeriod: { start: '2026-03-01', end: '2026-03-10' },
    valueQuantity: { value: 20 + n * 40, system: 'http://unitsofmeasure.org', code: 'kg' },
  })),
  { resourceType: 'ValueSet', id: 'vs', status: 'active', url: 'http://example.org/fhir/ValueSet/a' },
];

let database: Database;
let reads: RestReads;
beforeAll(async () => {
  database = await testDatabase();
  const store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.update(resource);
  });
  reads = store.reads('aa');
});
afterAll(() => database.close());

async function found(type: ResourceType, filter: string): Promise<string[]> {
  const page = await reads.searchBundle(type, `_filter=${encodeURIComponent(filter)}`);
  return page.matches.map(({ id }) => id);
}

describe('_filter', () => {
  it.each([
    ['Patient', 'name co "pet"', ['pet']],
    ['Patient', 'given eq "peter" and birthdate ge 2014-10-10', ['pet']],
    ['Patient', 'family eq carpet', []],
    ['Patient', 'family eq "CARPET  (Test)"', ['pet']],
    ['Patient', 'family ew test', ['pet']],
    ['Patient', 'family sw a', ['ann']],
    ['Patient', 'given eq "jean, marie"', ['pet']],
    ['Patient', 'given ne peter', ['pet']],
    ['Patient', 'family ge b', ['pet']],
    ['Patient', 'family lt b', ['ann']],
    ['Patient', 'birthdate eq 1980', ['ann']],
    ['Patient', 'birthdate lt 2000', ['ann']],
    ['Patient', 'birthdate pr false', ['bare']],
    ['Patient', 'gender pr true', ['ann', 'pet']],
    ['Patient', 'gender eq female', ['ann']],
    ['Patient', 'gender eq http://hl7.org/fhir/administrative-gender|female', ['ann']],
    ['Patient', 'phonetic eq carpais', ['pet']],
    ['Patient', 'gender ne female', ['pet']],
    ['Patient', 'gender co mal', ['ann', 'pet']],
    ['Patient', 'gender sw mal', ['pet']],
    ['Patient', 'not (gender eq female)', ['bare', 'pet']],
    ['Patient', 'not(gender eq female or active eq true)', ['bare']],
    ['Patient', '(gender eq female) or (active eq true)', ['ann', 'pet']],
    ['Patient', '_id eq bare', ['bare']],
    ['Patient', 'general-practitioner.name eq noa', ['pet']],
    ['Patient', 'general-practitioner re Practitioner/noa', ['pet']],
    ['Patient', 'general-practitioner ew noa', ['pet']],
    ['Patient', '_has:Observation:patient:value-quantity gt 30', ['ann']],
    ['Observation', `code eq ${loinc}|29463-7`, ['weight-ann', 'weight-pet']],
    ['Observation', 'subject.name co "pet"', ['weight-pet']],
    ['Observation', 'patient[active eq true].name pr true', ['weight-pet']],
    ['Observation', 'patient[active eq true].name co ann', []],
    ['Observation', 'patient.general-practitioner[active eq true].name eq "noa"', ['weight-pet']],
    ['Observation', 'value-quantity gt 30|http://unitsofmeasure.org|kg', ['weight-ann']],
    ['Observation', 'value-quantity le 20', ['weight-pet']],
    ['Observation', 'date po 2026-03-05', ['weight-ann', 'weight-pet']],
    ['Observation', 'date po 2026-04', []],
    ['Observation', 'date sa 2026-02 and date eb 2026-04', ['weight-ann', 'weight-pet']],
    ['ValueSet', 'url sw http://example.org', ['vs']],
    ['ValueSet', 'url eq http://example.org/fhir/ValueSet/a', ['vs']],
  ] as const)('%s: %s', async (type, filter, expected) => {
    expect((await found(type, filter)).sort()).toEqual(expected);
  });

  it('reads and, or from left to right', async () => {
    // ((pet or ann) and ann), where precedence of "and" would find pet as well.
    expect(await found('Patient', '_id eq pet or _id eq ann and gender eq female')).toEqual(['ann']);
    expect((await found('Patient', '_id eq pet or (_id eq ann and gender eq female)')).sort()).toEqual(['ann', 'pet']);
  });

  it('joins the other parameters of a query, also inside a chain', async () => {
    const page = await reads.searchBundle('Observation', 'patient._filter=name+co+pet&status=final');
    expect(page.matches.map(({ id }) => id)).toEqual(['weight-pet']);
  });

  it.each([
    '',
    'name',
    'name eq',
    'name like x',
    'name eq "x',
    'name eq x and',
    'name eq x)',
    '(name eq x',
    'not name eq x',
    'name[family eq x] eq y',
    'name eq x y',
    'nonsense eq x',
    'name.family eq x',
    'general-practitioner.nonsense eq x',
    'birthdate co 1980',
    'birthdate po yesterday',
    'gender gt female',
    'gender sw "\\u0000"',
    '_id eq "a\\u0000"',
    'phonetic co pet',
    'gender pr maybe',
    'name ss x',
    '_has:Nothing:patient:code eq x',
    `${'('.repeat(30)}name eq x${')'.repeat(30)}`,
    Array(101).fill('name eq x').join(' or '),
  ])('refuses %j with a 400', async (filter) => {
    await expect(found('Patient', filter)).rejects.toMatchObject({ status: 400 });
  });
});

describe('parseFilter', () => {
  const test = fc.record({
    kind: fc.constant('test' as const),
    path: fc.array(fc.record({ name: fc.stringMatching(/^[a-z][a-z-]{0,8}$/) }), { minLength: 1, maxLength: 3 }),
    operator: fc.constantFrom('eq', 'co', 'ge', 'pr', 're'),
    value: fc.string({ minLength: 1 }),
  });
  const { tree } = fc.letrec<{ tree: Filter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      test as fc.Arbitrary<Filter>,
      fc.record({ kind: fc.constantFrom('and', 'or'), left: tie('tree'), right: tie('tree') }) as fc.Arbitrary<Filter>,
      fc.record({ kind: fc.constant('not'), of: tie('tree') }) as fc.Arbitrary<Filter>,
    ),
  }));
  const write = (filter: Filter): string => {
    switch (filter.kind) {
      case 'test':
        return `${filter.path.map(({ name }) => name).join('.')} ${filter.operator} ${JSON.stringify(filter.value)}`;
      case 'not':
        return `not (${write(filter.of)})`;
      default:
        return `(${write(filter.left)}) ${filter.kind} (${write(filter.right)})`;
    }
  };

  it('reads back what was written', () => {
    fc.assert(
      fc.property(tree, (filter) => {
        expect(parseFilter(write(filter))).toEqual(filter);
      }),
    );
  });

  it('refuses or reads any text, and never fails otherwise', () => {
    const pieces = fc.constantFrom(
      'name',
      ' eq ',
      '"x"',
      '(',
      ')',
      '[',
      ']',
      '.',
      ' and ',
      ' or ',
      'not',
      ' ',
      '"',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 20 }), (list) => {
        try {
          parseFilter(list.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(FhirError);
        }
      }),
    );
  });
});
