/** Statements with a name, as they go over the wire: what PostgreSQL gets, what comes back, and what a refused one leaves behind. */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../src/db/index.ts';
import { runPrepared } from '../../src/db/prepared/index.ts';
import { testDatabase } from '../support/database.ts';

let database: Database;
let client: pg.Client;
beforeAll(async () => {
  database = await testDatabase();
  client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  await client.query('CREATE TEMP TABLE kept (n int, said text)');
});
afterAll(async () => {
  await client.end();
  await database.close();
});

const run = <Row = Record<string, unknown>>(name: string, text: string, values?: unknown[]) =>
  runPrepared<Row>(client, { name, text, ...(values ? { values } : {}) });

async function echoed(type: string, value: unknown): Promise<unknown> {
  const { rows } = await run<{ it: unknown }>(`echo_${type}`, `SELECT $1::${type} AS it`, [value]);
  return rows[0]!.it;
}

// PostgreSQL holds no NUL, and lone surrogates are no text.
const texts = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));

describe('what is sent', () => {
  it('comes back as it was: text', () =>
    fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await echoed('text', text)).toBe(text);
      }),
    ));

  it('lists of texts, among them those that look like the syntax of lists', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.oneof(texts, fc.constantFrom('NULL', '', '{', '}', ',', '"', '\\', '{"a"}', ' ')))),
        async (list) => {
          expect(await echoed('text[]', list)).toEqual(list);
        },
      ),
    ));

  it('octets, whole numbers, fractions, truth, moments, lists in lists, JSON, nothing', async () => {
    const octets = Buffer.from([0, 1, 254, 255, 92, 34]);
    expect(await echoed('bytea', octets)).toEqual(octets);
    expect(await echoed('bytea[]', [octets, null])).toEqual([octets, null]);
    expect(await echoed('integer', -7)).toBe(-7);
    expect(await echoed('bigint', 9_223_372_036_854_775_807n)).toBe('9223372036854775807');
    expect(await echoed('double precision', 0.1)).toBe(0.1);
    expect(await echoed('integer[]', [1, -2, null])).toEqual([1, -2, null]);
    expect(
      await echoed('text[]', [
        ['a', 'b'],
        ['"', 'NULL'],
      ]),
    ).toEqual([
      ['a', 'b'],
      ['"', 'NULL'],
    ]);
    expect(await echoed('boolean', false)).toBe(false);
    expect(await echoed('timestamptz', new Date('2026-03-29T01:30:00.123Z'))).toEqual(
      new Date('2026-03-29T01:30:00.123Z'),
    );
    expect(await echoed('jsonb', { a: ['é', { b: null }] })).toEqual({ a: ['é', { b: null }] });
    expect(await echoed('text', undefined)).toBeNull();
    expect(await echoed('text', null)).toBeNull();
  });

  it('is as long as it is: a text of megabytes beside a short one, again and again', async () => {
    const long = 'é€𝄞"\\'.repeat(400_000);
    for (const text of [long, 'short', long.slice(5), '']) expect(await echoed('text', text)).toBe(text);
  });
});

describe('what is answered', () => {
  it('is a row each with its types, every time and not only the first', async () => {
    const text = `SELECT n, n % 2 = 0 AS even, 'n' || n AS name, NULL::int AS nothing FROM generate_series(1, $1::int) n`;
    for (const most of [2, 0, 3]) {
      const { rows, rowCount } = await run('series', text, [most]);
      expect(rowCount).toBe(most);
      expect(rows).toEqual(
        Array.from({ length: most }, (_, n) => ({
          n: n + 1,
          even: n % 2 === 1,
          name: `n${n + 1}`,
          nothing: null,
        })),
      );
    }
  });

  it('counts what was changed', async () => {
    const insert = 'INSERT INTO kept SELECT n FROM generate_series(1, $1::int) n';
    expect(await run('insert', insert, [3])).toEqual({ rows: [], rowCount: 3 });
    expect(await run('insert', insert, [0])).toEqual({ rows: [], rowCount: 0 });
    expect((await run('update', `UPDATE kept SET said = 'x' WHERE n > $1 RETURNING n`, [1])).rowCount).toBe(2);
  });
});

describe('a statement that is refused', () => {
  it('says why with its SQLSTATE, and the connection goes on', async () => {
    const divide = 'SELECT 6 / $1::int AS it';
    // Refused when it is first run: parsed, and what its rows look like not known yet.
    await expect(run('divide', divide, [0])).rejects.toMatchObject({ code: '22012' });
    expect((await run('divide', divide, [3])).rows).toEqual([{ it: 2 }]);
    await expect(run('divide', divide, ['no number'])).rejects.toMatchObject({ code: '22P02' });
    expect((await run('divide', divide, [2])).rows).toEqual([{ it: 3 }]);
    await expect(run('wrong', 'SELEC 1')).rejects.toMatchObject({ code: '42601' });
    expect((await run('wrong', 'SELECT 1 AS it')).rows).toEqual([{ it: 1 }]);
  });

  it('in the middle of its rows gives none of them', async () => {
    const text = 'SELECT 6 / n AS it FROM unnest($1::int[]) n';
    await expect(run('quotients', text, [[1, 2, 0]])).rejects.toMatchObject({ code: '22012' });
    expect((await run('quotients', text, [[1, 2]])).rows).toEqual([{ it: 6 }, { it: 3 }]);
  });

  it('is not sent under the name of another, nor with more values than the protocol counts', async () => {
    await run('named', 'SELECT 1 AS it');
    await expect(run('named', 'SELECT 2 AS it')).rejects.toThrow('named');
    await expect(run('many', 'SELECT 1', Array(65_536).fill('x'))).rejects.toThrow('65,535');
    await expect(run('when', 'SELECT $1::timestamptz', [new Date(Number.NaN)])).rejects.toThrow(RangeError);
    expect((await run('named', 'SELECT 1 AS it')).rows).toEqual([{ it: 1 }]);
  });

  it('fails its transaction alone', async () => {
    const work = database.transaction('aa', async (sql) => {
      await sql.query({ name: 'one', text: 'SELECT 1' });
      await sql.query({ name: 'zero', text: 'SELECT 1 / $1::int', values: [0] });
    });
    await expect(work).rejects.toMatchObject({ code: '22012' });
    expect((await database.query('aa', { name: 'one', text: 'SELECT 1' })).rowCount).toBe(1);
  });
});
