import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Resource } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { dateInterval } from '../../../src/fhir/search/dates.ts';
import { elementMeasures } from '../../../src/fhir/search/numbers.ts';
import { createParameterRegistry, type Parameter } from '../../../src/fhir/search/parameters.ts';
import { foldString, searchedStrings } from '../../../src/fhir/search/strings.ts';
import { createUnits } from '../../../src/fhir/search/units.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const folder = '../shared/fixtures/fhir-r4/resources';
const registry = createParameterRegistry(loadSearchDefinitions(), interpretPath);
const units = createUnits();

describe.runIf(existsSync(folder))('the official examples', () => {
  let database: Database;
  let store: RestStore;
  let examples: (Resource & { id: string })[];
  beforeAll(async () => {
    examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\/.*\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));
    database = await testDatabase();
    // What is stored is the subject here, not what is valid.
    store = await createFhirStore({ database, validate: () => [] });
    await store.transaction(contextOf('aa'), async (tx) => {
      for (const example of examples) await tx.create(example);
    });
  });
  afterAll(() => database.close());

  it('come back as they were', async () => {
    for (const example of examples) {
      const { meta, ...read } = await store.read('aa', example.resourceType, example.id);
      const { meta: sent, ...original } = example;
      expect(read).toEqual(original);
      expect(meta).toMatchObject({ ...sent, versionId: '1', lastUpdated: expect.any(String) });
    }
  });

  it('are found by every search parameter that has a value in them', async () => {
    const tried = new Set<string>();
    const lost: string[] = [];
    for (const example of examples) {
      for (const parameter of registry.of(example.resourceType).values()) {
        const name = `${example.resourceType}.${parameter.code}`;
        if (tried.has(name) || parameter.code === '_lastUpdated') continue;
        const value = parameter
          .select(example)
          .map((item) => searchedBy(parameter, item))
          .find((text) => text !== undefined);
        if (value === undefined) continue;
        tried.add(name);
        const query = `${parameter.code}=${encodeURIComponent(value)}`;
        const found = await store.search('aa', example.resourceType, query);
        if (!found.some(({ id }) => id === example.id)) lost.push(`${example.resourceType}/${example.id}?${query}`);
      }
    }
    expect(lost).toEqual([]);
    expect(tried.size).toBeGreaterThan(600);
  });
});

const escaped = (text: string) => text.replace(/[\\,|$]/g, '\\$&');

/** A search value that a selected element must match; undefined when there is nothing to search for in it. */
function searchedBy({ type }: Parameter, value: unknown): string | undefined {
  const element = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    string & { code?: string; system?: string }[]
  >;
  switch (type) {
    case 'token': {
      if (typeof value !== 'object') return escaped(String(value));
      const coding = element.coding?.find(({ code }) => code) as Record<string, string> | undefined;
      const { system, code = element.value } = coding ?? (element as Record<string, string>);
      if (!code) return undefined;
      return system ? `${escaped(system)}|${escaped(code)}` : `|${escaped(code)}`;
    }
    case 'reference': {
      const reference = typeof value === 'string' ? value : element.reference;
      return reference && !reference.startsWith('#') ? escaped(reference) : undefined;
    }
    case 'uri':
      return typeof value === 'string' ? escaped(value) : undefined;
    case 'string':
      return searchedStrings(value)
        .map(foldString)
        .find((text) => text !== '');
    case 'date': {
      const text = typeof value === 'string' ? value : (element.start ?? element.end ?? element.event?.[0]);
      return typeof text === 'string' && dateInterval(text) ? `ap${text}` : undefined;
    }
    case 'number':
    case 'quantity': {
      const lo = elementMeasures(value, units)[0]?.lo;
      return lo !== undefined && Number.isFinite(lo) ? `ge${lo}` : undefined;
    }
  }
}
