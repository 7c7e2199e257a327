/** SQL through every search parameter of every type: what is sent stays a value. */
import type { Patient, ResourceType } from '@medplum/fhirtypes';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { resourceTypesOf } from '../../../src/fhir/definitions/structure-file.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';
import { createFhirStore, FhirError } from '../../../src/fhir/index.ts';
import { testContext } from '../../imaging/room.ts';
import { testDatabase } from '../../support/database.ts';

/** In every hostile value: found in the text of a statement, it would have become one. */
const mark = 'xq7zk';
const hostile = [
  `${mark}' OR '1'='1`,
  `${mark}'); DROP TABLE tenant; --`,
  `${mark}" OR 1=1 --`,
  `${mark}' UNION SELECT current_user --`,
  `${mark}/**/OR/**/1=1`,
  `${mark}\u0000' OR 1=1`,
  `${mark}\u02bc OR \u02bc1\u02bc=\u02bc1`,
  `${mark}\uff07 OR 1=1`,
  `${mark}\\' OR 1=1; SELECT pg_sleep(9) --`,
  `${mark}%' ESCAPE '!' OR 1=1`,
  `${mark}\u{1d7d8}\udc00`,
  `${mark}E'\\x27'`,
];
/** What each kind takes, with the hostile part where a value of that kind may have any text. */
const shaped: Readonly<Record<string, (value: string) => string>> = {
  reference: (value) => `Patient/${value}`,
  quantity: (value) => `5||${value}`,
  token: (value) => `sys|${value}`,
};

let database: Database;
let store: Awaited<ReturnType<typeof createFhirStore>>;
let seen: string[] = [];

beforeAll(async () => {
  database = await testDatabase();
  const note = (statement: unknown) => {
    seen.push(typeof statement === 'string' ? statement : (statement as { text: string }).text);
  };
  const watched: Database = {
    ...database,
    query: ((scope: never, statement: never, values: never) => {
      note(statement);
      return database.query(scope, statement, values);
    }) as Database['query'],
    transaction: (scope, work) =>
      database.transaction(scope, (sql) =>
        work({
          ...sql,
          query: ((statement: never, values: never) => {
            note(statement);
            return sql.query(statement, values);
          }) as typeof sql.query,
        }),
      ),
  };
  store = await createFhirStore({ database: watched, checkReferences: false });
  const context = { ...testContext(), interaction: 'create' };
  await store.transaction(context, (tx) =>
    tx.create<Patient>({ resourceType: 'Patient', name: [{ family: 'TEST-INJECTION' }], gender: 'female' }),
  );
});
afterAll(() => database.close());

/** Statements of one search, and how many it found; undefined when the value is refused. */
async function search(type: ResourceType, name: string, value: string) {
  seen = [];
  const query = `${name}=${encodeURIComponent(value.toWellFormed())}&_count=5`;
  try {
    const { matches } = await store.reads('aa').searchBundle(type, query);
    return { found: matches.length, texts: seen };
  } catch (error) {
    if (error instanceof FhirError && error.status < 500) return { found: 0, texts: seen };
    throw new Error(`${type}?${name}: ${(error as Error).message}`);
  }
}

const escaped = (value: string) => value.replace(/[\\,|$]/g, '\\$&');

it('every parameter of every type, each with several hostile values: no value becomes part of a statement, nothing is found', async () => {
  const types = resourceTypesOf(r4Structure) as ResourceType[];
  let turn = 0;
  let asked = 0;
  for (const type of types) {
    for (const { name, type: kind } of store.searchParameters(type)) {
      if (kind === 'special' || kind === 'composite') continue;
      const value = escaped(hostile[turn++ % hostile.length]!);
      for (const sent of [value, ...(shaped[kind] ? [shaped[kind](value)] : [])]) {
        const { found, texts } = await search(type, name, sent);
        asked++;
        expect(found, `${type}?${name}=${sent}`).toBe(0);
        expect(
          texts.some((text) => text.toLowerCase().includes(mark)),
          `${type}?${name}=${sent}`,
        ).toBe(false);
      }
    }
  }
  expect(asked).toBeGreaterThan(2_000);
}, 120_000);

it('every hostile value, through each kind of parameter and everywhere else a search has texts', async () => {
  const places: [ResourceType, string, (value: string) => string][] = [
    ['Patient', 'family', (value) => value],
    ['Patient', 'family:exact', (value) => value],
    ['Patient', 'family:contains', (value) => value],
    ['Patient', 'identifier', (value) => `${value}|${value}`],
    ['Patient', 'identifier:of-type', (value) => `${value}|${value}|${value}`],
    ['Patient', 'gender:not', (value) => value],
    ['Patient', 'birthdate', (value) => `2020-01-01${value}`],
    ['Patient', '_id', (value) => value],
    ['Patient', '_tag', (value) => `${value}|${value}`],
    ['Patient', '_profile', (value) => value],
    ['Patient', '_source', (value) => value],
    ['Patient', '_sort', (value) => value],
    ['Patient', '_elements', (value) => value],
    ['Patient', '_include', (value) => `Patient:${value}`],
    ['Patient', '_revinclude', (value) => `Observation:${value}`],
    ['Patient', '_has:Observation:patient:code', (value) => value],
    ['Patient', '_has:Observation:patient:_id', (value) => value],
    ['Patient', '_filter', (value) => `family eq "${value.replace(/["\\]/g, '\\$&')}"`],
    ['Patient', 'organization.name', (value) => value],
    ['Patient', 'general-practitioner:Practitioner.family', (value) => value],
    ['Patient', '_lastUpdated', (value) => `gt${value}`],
    ['Observation', 'value-quantity', (value) => `5|${value}|${value}`],
    ['Observation', 'code-value-quantity', (value) => `${value}$5|${value}|${value}`],
    ['Observation', 'code:text', (value) => value],
    ['ValueSet', 'url', (value) => value],
    ['ValueSet', 'url:below', (value) => value],
  ];
  const shapes = new Map<string, Set<string>>();
  for (const [type, name, around] of places) {
    for (const value of hostile) {
      const { found, texts } = await search(type, name, around(escaped(value)));
      const where = `${type}?${name}=${value}`;
      // A value that is not understood at all (`_sort`, `_elements`) is refused or left out.
      if (!['_sort', '_elements', '_include', '_revinclude', 'gender:not'].includes(name)) expect(found, where).toBe(0);
      expect(
        texts.some((text) => text.toLowerCase().includes(mark)),
        where,
      ).toBe(false);
      // The store's own work in the background asks at any moment, too.
      const own = texts.filter((text) => text.startsWith(`SELECT '${type}' AS type`));
      if (own.length > 0) shapes.set(name, (shapes.get(name) ?? new Set()).add(own.join('\n')));
    }
  }
  // The shape of the statement is the parameter's, whatever the value; texts of people are cut into words, so that theirs has a few.
  for (const name of ['identifier', '_id', '_profile', 'url', '_tag'])
    expect([name, shapes.get(name)?.size]).toEqual([name, 1]);
});

it('names of parameters and types are no way in either', async () => {
  for (const value of hostile) {
    const { texts } = await search('Patient', encodeURIComponent(value.toWellFormed()), 'x');
    expect(texts.some((text) => text.toLowerCase().includes(mark))).toBe(false);
  }
});

it('afterwards everything is where it was', async () => {
  expect(await database.tenants()).toEqual(expect.arrayContaining(['aa', 'bb', 'platform']));
  expect(await store.search('aa', 'Patient', 'family=TEST-INJECTION')).toHaveLength(1);
});
