import type { Observation } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import type { RestStore, SearchPage } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

const sorts = [
  'date',
  '-date',
  'status,-date',
  'value-quantity',
  '-value-quantity,date',
  'code',
  '-subject,code',
  '_lastUpdated',
  '-_id',
  'value-string,-value-quantity',
  'derived-from',
];

let database: Database;
let store: RestStore;
beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  await store.transaction(contextOf('aa'), async (tx) => {
    for (let n = 0; n < 23; n++) await tx.create(observation(`o${n}`, n));
  });
});
afterAll(() => database.close());

function observation(id: string, n: number): Observation & { id: string } {
  return {
    resourceType: 'Observation',
    id,
    status: n % 2 === 0 ? 'final' : 'preliminary',
    code: { coding: [{ system: 'urn:x', code: `c${n % 3}` }] },
    ...(n % 4 === 0 ? {} : { effectiveDateTime: `2026-01-0${1 + (n % 5)}` }),
    ...(n % 3 === 0 ? {} : n % 3 === 1 ? { valueQuantity: { value: n % 7 } } : { valueString: `text ${n % 4}` }),
    ...(n % 5 === 0 ? {} : { subject: { reference: `Patient/p${n % 2}` } }),
  };
}

const idsOf = (page: SearchPage) => page.matches.map(({ id }) => id);
const page = (query: string, tenant = 'aa') => store.reads(tenant).searchBundle('Observation', query);

async function follow(first: SearchPage, link: 'next' | 'previous', tenant?: string): Promise<SearchPage[]> {
  const pages = [first];
  for (let query = first[link]; query !== undefined; query = pages.at(-1)![link]) pages.push(await page(query, tenant));
  return pages;
}

describe('pages', () => {
  it.each(sorts)(
    'in the order of %s: all rows once, forward and back, with the links of their places',
    async (sort) => {
      const whole = idsOf(await page(`_sort=${sort}&_count=100`));
      expect(new Set(whole).size).toBe(23);
      for (const count of [1, 4, 22, 23]) {
        const first = await page(`_sort=${sort}&_count=${count}`);
        expect(first.previous).toBeUndefined();
        expect(first.self).toBe(first.first);
        const forward = await follow(first, 'next');
        expect(forward.flatMap(idsOf)).toEqual(whole);
        const backward = await follow(forward.at(-1)!, 'previous');
        expect(backward.toReversed().flatMap(idsOf)).toEqual(whole);
        for (const one of forward) expect(one.first).toBe(first.first);
        if (forward.length > 1) expect(idsOf(await page(forward[1]!.self))).toEqual(idsOf(forward[1]!));
      }
    },
  );

  it('are stable in any order while rows come and go: none twice, none that stays is lost', async () => {
    const change = fc.record({ add: fc.nat(40), remove: fc.nat(40) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sorts),
        fc.integer({ min: 1, max: 5 }),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (sort, count, changes, back) => {
          const run = `r${Math.random().toString(36).slice(2, 8)}`;
          const tag = { meta: { tag: [{ system: 'urn:run', code: run }] } };
          const named = (n: number) => `${run}-${n}`;
          const there = new Set<number>();
          await store.transaction(contextOf('bb'), async (tx) => {
            for (let n = 0; n < 30; n += 2) {
              await tx.create({ ...observation(named(n), n), ...tag });
              there.add(n);
            }
          });
          const stays = new Set([...there].map(named));
          const seen: string[] = [];
          const query = `_tag=urn:run|${run}&_sort=${sort}&_count=${count}`;
          let current = await page(query, 'bb');
          if (back) current = (await follow(current, 'next', 'bb')).at(-1)!;
          seen.push(...idsOf(current));
          for (let turn = 0; ; turn++) {
            const { add, remove } = changes[turn % changes.length]!;
            await store.transaction(contextOf('bb'), async (tx) => {
              if (!there.has(add)) await tx.create({ ...observation(named(add), add), ...tag });
              there.add(add);
              if (there.has(remove) && remove !== add) {
                await tx.delete('Observation', named(remove));
                stays.delete(named(remove));
              }
            });
            there.delete(remove === add ? -1 : remove);
            // A deleted id is not used again: its row would be another one.
            if (remove !== add) there.add(remove);
            const link = back ? current.previous : current.next;
            if (link === undefined) break;
            current = await page(link, 'bb');
            seen.push(...idsOf(current));
          }
          expect(new Set(seen).size).toBe(seen.length);
          for (const id of stays) expect(seen).toContain(id);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('refuse cursors of other searches and forged ones with a 400', async () => {
    const { next } = await page('_sort=date&_count=1');
    const cursor = /_cursor=(.*)$/.exec(next!)![1]!;
    await expect(page(`_sort=date,status&_cursor=${cursor}`)).rejects.toMatchObject({ status: 400 });
    await expect(page(`_sort=code&_cursor=${forged(['n', 'x', 1])}`)).rejects.toMatchObject({ status: 400 });
    for (const place of [['n', 'today', 'x'], ['n', '\u0000', 'x'], ['x', null, 'x'], ['n', null, null], 'n', {}]) {
      await expect(page(`_sort=date&_cursor=${forged(place)}`)).rejects.toMatchObject({ status: 400 });
    }
  });

  it.each([
    ['date', '2026-99-99 00:00:00+00'],
    ['date', '2026-02-30 00:00:00+00'],
    ['date', '2026-01-01 24:00:00+00'],
    ['date', '2026-01-01 00:00:00+99'],
    ['date', '0000-01-01 00:00:00+00'],
    ['date', '999999-01-01 00:00:00+00'],
    ['_lastUpdated', '300000-01-01 00:00:00+00'],
    ['value-quantity', '1e999'],
    ['value-quantity', '-1e999'],
    ['value-quantity', '1e-999'],
    ['value-quantity', 'NaN'],
  ])('refuse a forged place by %s at %s with a 400: it never reaches the database', async (sort, value) => {
    const cursor = forged(['n', value, 'x']);
    await expect(page(`_sort=${sort}&_cursor=${cursor}`)).rejects.toMatchObject({ status: 400 });
    const history = forged([value, 'Observation', 'x', 1]);
    const past = store.reads('aa').history({ type: 'Observation' }, { cursor: history });
    await expect(past).rejects.toMatchObject({ status: 400 });
  });

  it.each([
    ['date', '2024-02-29 23:59:59.999+01'],
    ['date', '10000-01-01 00:59:59.999+01'],
    ['date', '0001-01-01 00:00:00+00'],
    ['date', '0001-01-01 00:09:21+00:09:21'],
    ['value-quantity', '-Infinity'],
    ['value-quantity', '1e-07'],
    ['value-quantity', '-0'],
    ['value-quantity', '4.94e-324'],
  ])('take a place by %s at %s, as a row may have it', async (sort, value) => {
    expect(await page(`_sort=${sort}&_cursor=${forged(['n', value, 'x'])}`)).toHaveProperty('matches');
  });

  it('ask for the rows without a date only where there may be some', async () => {
    let asked = 0;
    const counted: Database['query'] = (scope, statement, values) => {
      if (typeof statement === 'object' && statement.text.includes('FROM fhir."observation" r')) asked++;
      return database.query(scope, statement, values);
    };
    const watched = await createFhirStore({ database: { ...database, query: counted } });
    const found = async (sort: string) => {
      asked = 0;
      const { matches } = await watched.reads('dated').searchBundle('Observation', `status=preliminary&_sort=${sort}`);
      return { ids: matches.map(({ id }) => id), asked };
    };
    const dated = (n: number) => ({ ...observation(`d${n}`, 1), effectiveDateTime: `2026-02-0${1 + (n % 9)}` });
    const create = (...resources: Observation[]) =>
      store.transaction(contextOf('dated'), async (tx) => {
        for (const resource of resources) await tx.create(resource);
      });
    const createAndDelete = async (from: number, to: number) => {
      const numbers = Array.from({ length: to - from }, (_, n) => from + n);
      await create(...numbers.map(dated));
      await store.transaction(contextOf('dated'), async (tx) => {
        for (const n of numbers) await tx.delete('Observation', `d${n}`);
      });
    };
    await create(dated(2), dated(0), dated(1));
    expect(await found('date')).toEqual({ ids: ['d0', 'd1', 'd2'], asked: 1 });
    await createAndDelete(3, 8);
    expect(await found('date')).toEqual({ ids: ['d0', 'd1', 'd2'], asked: 1 });
    await create({ ...observation('undated', 4), status: 'preliminary' });
    expect(await found('date')).toEqual({ ids: ['d0', 'd1', 'd2', 'undated'], asked: 2 });
    await createAndDelete(10, 40);
    expect(await found('date')).toEqual({ ids: ['d0', 'd1', 'd2', 'undated'], asked: 2 });
    expect((await found('-date')).ids).toEqual(['d2', 'd1', 'd0', 'undated']);
  });
});

const forged = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');
