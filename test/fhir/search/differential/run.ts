/** Asks the server and the evaluator the same searches and tells where they differ. */
import type { Database } from '../../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../../src/fhir/index.ts';
import type { RestReads } from '../../../../src/fhir/store/index.ts';
import { contextOf } from '../../store/context.ts';
import { type Search, writeSearch } from './condition.ts';
import { corpus } from './corpus.ts';
import { createWorld, evaluate, type World } from './evaluate.ts';
import { includedBy } from './included.ts';
import { createRandom } from './random.ts';
import { createRandomSearch } from './random-search.ts';
import type { Stored } from './references.ts';

export interface Difference {
  seed: number;
  query: string;
  expected: string[];
  found: string[] | string;
}

export interface Outcome {
  searches: number;
  /** How many of them found something, so that nobody is fooled by empty answers. */
  withMatches: number;
  differences: Difference[];
}

/** Stores the corpus; what is stored is the subject, not what is valid. */
export async function prepare(database: Database) {
  const store = await createFhirStore({ database, validate: () => [] });
  const resources = corpus();
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const resource of resources) await tx.create(resource);
  });
  const reads = store.reads('aa');
  const stored: Stored[] = [];
  for (const { resourceType, id } of resources) stored.push((await store.read('aa', resourceType, id)) as Stored);
  return { reads, world: createWorld(stored, Date.now()) };
}

/** Seeds from `first` on, until `untilMs` of `performance.now()` or `count` searches. */
export async function compareSearches(
  { reads, world }: { reads: RestReads; world: World },
  { first, count, untilMs }: { first: number; count: number; untilMs: number },
): Promise<Outcome> {
  const randomSearch = createRandomSearch(loadSearchDefinitions(), world);
  const outcome: Outcome = { searches: 0, withMatches: 0, differences: [] };
  for (let seed = first; seed < first + count && performance.now() < untilMs; seed++) {
    const random = createRandom(seed);
    const search = randomSearch(random);
    const expected = evaluate(world, search);
    const found = await ask(reads, search, random.chance(0.3) ? 1 + random.integer(5) : wholePage);
    outcome.searches++;
    if (expected.length > 0) outcome.withMatches++;
    const { include } = search;
    if (include && Array.isArray(found)) {
      expected.push(...includedBy(world, search.type, expected, include));
      found.push(...(await askIncluded(reads, search)));
    }
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      outcome.differences.push({
        seed,
        query: `${search.type}?${decodeURIComponent(writeSearch(search))}`,
        expected,
        found,
      });
    }
  }
  return outcome;
}

const wholePage = 1000;

/** `Type/id` of what comes along with all matches, sorted. */
async function askIncluded(reads: RestReads, search: Search): Promise<string[]> {
  const page = await reads.searchBundle(search.type as 'Patient', `${writeSearch(search)}&_count=${wholePage}`);
  return page.included.map(({ type, id }) => `${type}/${id}`).sort();
}

/** All matches page by page, and back again. */
async function ask(reads: RestReads, search: Search, pageSize: number): Promise<string[] | string> {
  const forward: string[] = [];
  const query = writeSearch(search);
  try {
    let page = await reads.searchBundle(search.type as 'Patient', `${query}&_count=${pageSize}`);
    forward.push(...page.matches.map(({ id }) => id));
    while (page.next !== undefined) {
      page = await reads.searchBundle(search.type as 'Patient', page.next);
      forward.push(...page.matches.map(({ id }) => id));
    }
    const backward = page.matches.map(({ id }) => id);
    while (page.previous !== undefined) {
      page = await reads.searchBundle(search.type as 'Patient', page.previous);
      backward.unshift(...page.matches.map(({ id }) => id));
    }
    return JSON.stringify(backward) === JSON.stringify(forward) ? forward : `pages back differ: ${backward.join(' ')}`;
  } catch (error) {
    return String(error);
  }
}
