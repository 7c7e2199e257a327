import type { Observation, Patient } from '@medplum/fhirtypes';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Sql } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { createKeyHasher } from '../../../src/fhir/search/keys.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import type { SearchParts } from '../../../src/fhir/search/scope.ts';
import { searchPage } from '../../../src/fhir/search/search.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

/** More than a link of a chain resolves ahead here. */
const many = 120;
const linkLimit = 100;

const base = 'https://a.example:8443/fhir';
/** How the first patients are referred to. */
const addresses: ((id: string) => string)[] = [
  (id) => `${base}/Patient/${id}/_history/2`,
  (id) => `Patient/${id}/_history/1`,
];

let database: Database;
const statements: { text: string; values: readonly unknown[] }[] = [];
/** Characters that the database answered. */
let answered = 0;
/** Statements that match take as long as a table of millions would. */
let slow: RegExp | undefined;

beforeAll(async () => {
  database = await testDatabase();
  const store = await createFhirStore({ database, validate: () => [], base: () => base });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (let n = 0; n < many; n++) {
      const id = `p${n}`;
      await tx.create<Patient>({ resourceType: 'Patient', id, gender: 'female', birthDate: n === 7 ? '1900' : '1960' });
      await tx.create<Observation>({
        resourceType: 'Observation',
        status: 'final',
        code: { coding: [{ code: n % 20 === 1 || n === 0 ? 'rare' : 'common' }] },
        subject: { reference: addresses[n]?.(id) ?? `Patient/${id}` },
        note: [{ text: 'Rien à signaler. '.repeat(400) }],
      });
    }
  });
});
afterAll(() => database.close());

const definitions = loadSearchDefinitions();
const parts: SearchParts = {
  definitions,
  registry: createParameterRegistry(definitions, interpretPath, () => base),
  hasher: createKeyHasher(),
  linkLimit,
};

/** Notes every statement, and holds those up that are to be slow. */
const sql: Sql = {
  query: (async (statement: { text: string; values: readonly unknown[]; timeoutMs: number }) => {
    statements.push(statement);
    if (!slow?.test(statement.text)) {
      const result = await database.query('aa', statement);
      answered += JSON.stringify(result.rows).length;
      return result;
    }
    const text = statement.text.replace(/WHERE r\.tenant = \$1/, 'WHERE pg_sleep(30) IS NOT NULL AND r.tenant = $1');
    return database.query('aa', { ...statement, text, timeoutMs: 200 });
  }) as Sql['query'],
};
const reads = {
  searchBundle: (type: 'Patient' | 'Observation', query: string) =>
    searchPage(parts, { sql, tenant: 'aa', nowMs: Date.now() }, type, query),
};

async function found(type: 'Patient' | 'Observation', query: string): Promise<number> {
  return (await reads.searchBundle(type, `${query}&_summary=count`)).total!;
}

describe('a search that would read too much', () => {
  it('looks the ends of a chain up from the rows that remain when there are too many to resolve ahead', async () => {
    expect(await found('Observation', 'code=rare&subject:Patient.gender=female')).toBe(7);
    expect(await found('Observation', 'code=rare&subject:Patient.gender=male')).toBe(0);
    expect(await found('Observation', 'code=rare&subject:Patient.gender:not=male')).toBe(7);
    expect(await found('Patient', 'birthdate=1900&_has:Observation:patient:status=final')).toBe(1);
    expect(await found('Patient', 'birthdate=1900&_has:Observation:patient:status=draft')).toBe(0);
    expect(await found('Patient', '_id=p0,p1&_has:Observation:subject:status=final')).toBe(2);
    expect(await found('Observation', 'code=rare&patient._has:Observation:patient:status=final')).toBe(7);
  });

  it('reads of those that point to a resource whom they point to, and no more', async () => {
    answered = 0;
    expect(await found('Patient', '_has:Observation:subject:code=rare')).toBe(7);
    expect(answered).toBeLessThan(1000);
  });

  it('ends in time, and says what helps', async () => {
    slow = /FROM fhir\."patient" r/;
    const error = await reads.searchBundle('Patient', 'birthdate=1900').catch((reason: unknown) => reason);
    slow = undefined;
    expect(error).toMatchObject({ status: 422, outcome: { issue: [{ code: 'too-costly' }] } });
    expect((error as Error).message).toMatch(/10 s.*add a condition/);
    // The connection is as good as before.
    expect(await found('Patient', 'birthdate=1900')).toBe(1);
  });

  it.each([
    ['the planner hoped to meet rare rows soon', 'code=rare', /AS s\d FROM fhir\."observation" r/, 7],
    ['many rows were believed to be few', 'subject=Patient/p3', /OFFSET 0/, 1],
  ])('is begun anew in another way when %s', async (_, query, held, expected) => {
    slow = held;
    statements.length = 0;
    const page = await reads.searchBundle('Observation', `${query}&_sort=-date`);
    slow = undefined;
    expect(page.matches).toHaveLength(expected);
    expect(statements.map(({ text }) => held.test(text))).toEqual([true, false]);
    expect((await reads.searchBundle('Observation', `${query}&_sort=-date`)).matches).toEqual(page.matches);
  });

  it('leaves the total out when counting takes too long, with a warning, and answers the page', async () => {
    slow = /count\(\*\)/;
    const page = await reads.searchBundle('Patient', '_total=accurate&_count=2');
    const rough = await reads.searchBundle('Patient', '_total=estimate&_count=2');
    await expect(reads.searchBundle('Patient', '_summary=count')).rejects.toMatchObject({ status: 422 });
    slow = undefined;
    expect(page.matches).toHaveLength(2);
    expect(page).not.toHaveProperty('total');
    expect(page.warnings).toMatchObject([{ severity: 'warning', code: 'too-costly' }]);
    expect(rough).toEqual({ ...page, self: expect.any(String), first: expect.any(String), next: expect.any(String) });
  });

  it.each([
    ['Observation', 'value-quantity', '1'],
    ['Observation', 'code-value-quantity', 'a$1'],
    ['Observation', '_content', 'zq'],
    ['Observation', 'code:text', 'zq'],
    ['Patient', 'name', 'a'],
    ['Observation', 'focus', 'a'],
  ] as const)('refuses more values of %s %s than can be planned, by name', async (type, name, value) => {
    const search = (count: number) => reads.searchBundle(type, `${name}=${Array(count).fill(value).join()}`);
    const error = await search(Math.floor(60_000 / (value.length + 1))).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      status: 422,
      outcome: { issue: [{ code: 'too-costly', expression: [`http.${name}`] }] },
    });
    expect((await search(100)).matches).toEqual([]);
  });

  it('takes as many codes and ids as a query has room for', async () => {
    const ids = Array.from({ length: 9_000 }, (_, n) => `p${n}`).join();
    expect(await found('Patient', `_id=${ids}`)).toBe(many);
    expect(await found('Patient', `gender=${'a,'.repeat(20_000)}female`)).toBe(many);
  });

  it('refuses chains without end', async () => {
    const chain = `${'link:Patient.'.repeat(11)}name`;
    await expect(reads.searchBundle('Patient', `${chain}=x`)).rejects.toMatchObject({ status: 400 });
  });
});

describe('_total', () => {
  it('is counted or left out, as asked', async () => {
    expect(await reads.searchBundle('Patient', '_total=accurate&_count=1')).toMatchObject({ total: many });
    expect(await reads.searchBundle('Patient', '_total=none&_count=1')).not.toHaveProperty('total');
    expect(await reads.searchBundle('Patient', '_count=1')).not.toHaveProperty('total');
  });

  it('tells as an estimate what the tenant has, whatever another one has', async () => {
    const estimate = async (query: string) => [
      (await reads.searchBundle('Patient', `${query}&_total=estimate&_count=1`)).total,
      (await reads.searchBundle('Patient', `${query}&_total=estimate&_count=0`)).total,
    ];
    expect(await estimate('gender=female')).toEqual([many, many]);
    const store = await createFhirStore({ database, validate: () => [] });
    await store.transaction(contextOf('bb'), async (tx) => {
      for (let n = 0; n < 20 * many; n++) await tx.create<Patient>({ resourceType: 'Patient', gender: 'female' });
    });
    // What the planner expects changes from here on.
    const owner = new pg.Client({ connectionString: database.adminUrl });
    await owner.connect();
    await owner.query('ANALYZE fhir.patient').finally(() => owner.end());
    expect(await estimate('gender=female')).toEqual([many, many]);
    expect(await estimate('birthdate=lt1950')).toEqual([1, 1]);
    statements.length = 0;
    await estimate('gender=female');
    expect(statements.filter(({ text }) => /EXPLAIN/i.test(text))).toEqual([]);
  });

  it('needs no counting when one page has everything', async () => {
    statements.length = 0;
    expect(await reads.searchBundle('Patient', 'birthdate=1900&_total=accurate')).toMatchObject({ total: 1 });
    expect(statements.filter(({ text }) => text.includes('count('))).toEqual([]);
  });
});

describe('repeated and contradictory parameters', () => {
  it.each([
    '_count=1&_count=2',
    '_total=none&_total=accurate',
    '_summary=true&_elements=id',
    '_summary=true&_summary=data',
  ])('%s is refused', async (query) => {
    await expect(reads.searchBundle('Patient', query)).rejects.toMatchObject({ status: 400 });
  });

  it.each([
    '_count=1&_count=1',
    '_sort=gender&_sort=-birthdate&_count=1',
    '_elements=id&_elements=gender&_count=1',
    '_contained=false&_count=1',
  ])('%s is understood', async (query) => {
    expect((await reads.searchBundle('Patient', query)).matches).toHaveLength(1);
  });

  it('criteria that exclude each other find nothing', async () => {
    expect(await found('Patient', 'gender=female&gender=male')).toBe(0);
    expect(await found('Patient', 'birthdate=gt2000&birthdate=lt1990')).toBe(0);
  });
});
