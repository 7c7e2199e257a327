import type { Observation, Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const observation = (id: string, more: Partial<Observation>): Observation & { id: string } => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { coding: [{ code: '1' }] },
  ...more,
});

const resources = [
  observation('coded', { method: { coding: [{ code: 'm' }] } }),
  observation('worded', { method: { text: 'au doigt mouillé' } }),
  observation('displayed', { method: { coding: [{ display: 'au doigt' }] } }),
  observation('typed', { identifier: [{ type: { text: 'Numéro de poignet' } }] }),
  observation('empty', { method: { coding: [{ userSelected: true }] } }),
  observation('none', {}),
];

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database, validate: () => [] });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.update(resource);
  });
});
afterAll(() => database.close());

describe('a code that is said in words alone', () => {
  it.each([
    ['method:missing=true', ['empty', 'none', 'typed']],
    ['method:missing=false', ['coded', 'displayed', 'worded']],
    ['identifier:missing=false', ['typed']],
    ['method:missing=false&method:text=doigt', ['displayed', 'worded']],
    ['_filter=method pr true', ['coded', 'displayed', 'worded']],
    ['_filter=method pr false', ['empty', 'none', 'typed']],
    ['_filter=method ne m', ['displayed', 'worded']],
    ['method:not=m', ['displayed', 'empty', 'none', 'typed', 'worded']],
    ['code-value-concept:missing=false', []],
  ])('is a value: %s', async (query, expected) => {
    const page = await store.reads('aa').searchBundle('Observation', query);
    expect(page.matches.map(({ id }) => id).sort()).toEqual(expected);
    // Of a resource in memory, as subscriptions ask.
    const inMemory = resources.filter((resource: Resource) => store.createMatcher('Observation', query)(resource));
    expect(inMemory.map(({ id }) => id).sort()).toEqual(expected);
  });
});
