import type { CodeSystem, Observation, Resource, ValueSet } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const system = 'http://example.org/exams';
const many = 5001;

const exams: CodeSystem = {
  resourceType: 'CodeSystem',
  url: system,
  status: 'active',
  content: 'complete',
  hierarchyMeaning: 'is-a',
  concept: [
    {
      code: 'imaging',
      concept: [{ code: 'ct', concept: [{ code: 'ct-head' }, { code: 'ct-chest' }] }, { code: 'mr' }],
    },
    { code: 'biology' },
  ],
};
const largeSystem: CodeSystem = {
  resourceType: 'CodeSystem',
  url: 'http://example.org/large',
  status: 'active',
  content: 'complete',
  concept: Array.from({ length: many }, (_, n) => ({ code: `c${n}` })),
};
const scans: ValueSet & { id: string } = {
  resourceType: 'ValueSet',
  id: 'scans',
  url: 'http://example.org/ValueSet/scans',
  version: '1',
  status: 'active',
  compose: { include: [{ system, concept: [{ code: 'ct-head' }, { code: 'mr' }] }] },
};
const large: ValueSet = {
  resourceType: 'ValueSet',
  url: 'http://example.org/ValueSet/large',
  status: 'active',
  compose: { include: [{ system: 'http://example.org/large' }] },
};

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of [exams, largeSystem, scans, large]) await tx.create<Resource>(resource);
    for (const code of ['imaging', 'ct', 'ct-head', 'ct-chest', 'mr', 'biology']) {
      await tx.create<Observation & { id: string }>({
        resourceType: 'Observation',
        id: code,
        status: 'final',
        code: { coding: [{ system, code }] },
      });
    }
    await tx.create<Observation & { id: string }>({
      resourceType: 'Observation',
      id: 'other-system',
      status: 'final',
      code: { coding: [{ system: 'http://example.org/elsewhere', code: 'mr' }] },
    });
  });
});
afterAll(() => database.close());

it.each([
  ['code:in=http://example.org/ValueSet/scans', ['ct-head', 'mr']],
  ['code:in=http://example.org/ValueSet/scans|1', ['ct-head', 'mr']],
  ['code:in=ValueSet/scans', ['ct-head', 'mr']],
  ['code:not-in=http://example.org/ValueSet/scans', ['biology', 'ct', 'ct-chest', 'imaging', 'other-system']],
  [`code:below=${system}|ct`, ['ct', 'ct-chest', 'ct-head']],
  [`code:below=${system}|ct,${system}|biology`, ['biology', 'ct', 'ct-chest', 'ct-head']],
  [`code:above=${system}|ct-head`, ['ct', 'ct-head', 'imaging']],
  [`code:below=${system}|imaging&code:not=ct`, ['ct-chest', 'ct-head', 'imaging', 'mr']],
])('%s finds %s', async (query, found) => {
  const matches = await store.search(
    'aa',
    'Observation',
    query.replace(/[|:](?=[^:]*$)|\|/g, (c) => encodeURIComponent(c)),
  );
  expect(matches.map(({ id }) => id).sort()).toEqual(found);
});

it.each([
  ['code:in=http://example.org/ValueSet/unknown', 400, 'not known'],
  [`code:below=${system}|unknown`, 400, 'not known'],
  ['code:below=http://example.org/unknown|x', 400, 'not known'],
  ['code:above=ct', 400, 'system|code'],
  ['code:in=http://example.org/ValueSet/large', 422, ''],
])('%s is refused with %i', async (query, status, words) => {
  const refusal = await store.search('aa', 'Observation', encodeURI(query)).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(FhirError);
  expect((refusal as FhirError).status).toBe(status);
  expect((refusal as FhirError).message).toContain(words);
});
