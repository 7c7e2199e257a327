import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { monthAfter, monthOf, monthStart, timePrefix } from '../../../src/access/audit/months.ts';
import { addMonthsAhead } from '../../../src/access/audit/retention/months-ahead.ts';
import { type Database, ensureDatabase, migrate, migrationsFolder, openDatabase } from '../../../src/db/index.ts';

const partition = '0141_audit_months.sql';
let folder: string;
let database: Database;
let superuser: pg.Client;

const idAt = (at: Date, n: number) => `${timePrefix(at)}-7000-8000-${String(n).padStart(12, '0')}`;
const thisMonth = monthOf(new Date());
const nextMonth = monthAfter(thisMonth);
const old = idAt(new Date('2025-03-04T05:06:07Z'), 1);
const ahead = idAt(new Date(monthStart(nextMonth).getTime() + 60_000), 2);
const chosen = 'event-of-a-client';

async function add(...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await database.query(
      'aa',
      `INSERT INTO fhir.auditevent (tenant, id, version, updated, d1_lo, d1_hi, keys, content) VALUES ('aa', $1, 1, now(), now(), now(), '{7}', $2)`,
      [id, `{"id":"${id}"}`],
    );
    await database.query('aa', "INSERT INTO fhir.journal (tenant, id, entries) VALUES ('aa', $1, '[]')", [id]);
  }
}
const parts = async (target: string): Promise<Record<string, string[]>> => {
  const { rows } = await superuser.query<{ part: string; id: string }>(
    `SELECT tableoid::regclass::text AS part, id FROM fhir.${target} ORDER BY id`,
  );
  const byPart = Map.groupBy(rows, ({ part }) => part);
  return Object.fromEntries([...byPart].map(([part, of]) => [part, of.map(({ id }) => id)]));
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-migrations-'));
  await cp(migrationsFolder, folder, { recursive: true, filter: (source) => !source.endsWith(partition) });
  const url = await ensureDatabase(inject('superuserUrl'), `t_${randomBytes(6).toString('hex')}`);
  await migrate(url, folder);
  database = openDatabase(url, url);
  superuser = new pg.Client({ connectionString: url });
  await superuser.connect();
  await database.addTenant('aa', 'Hospital A');
  await add(old, ahead, chosen);
  await cp(join(migrationsFolder, partition), join(folder, partition));
  expect(await migrate(url, folder)).toEqual([partition]);
});
afterAll(async () => {
  await superuser.end();
  await database.close();
  await rm(folder, { recursive: true });
});

const until = `fhir.%_until_${nextMonth.replace('-', '_')}`;

test('a filled trail becomes parts without losing a row; ids beyond this month wait in the default part', async () => {
  for (const target of ['auditevent', 'journal']) {
    expect(await parts(target)).toEqual({
      [until.replace('%', target)]: [old],
      [`fhir.${target}_default`]: [ahead, chosen],
    });
  }
});

test('months are made ahead by the application itself, once, and what waited for them moves there', async () => {
  expect(await addMonthsAhead(database, new Date())).toBe(3);
  expect(await addMonthsAhead(database, new Date())).toBe(0);
  const part = `fhir.auditevent_${nextMonth.replace('-', '_')}`;
  expect(await parts('auditevent')).toEqual({
    [until.replace('%', 'auditevent')]: [old],
    [part]: [ahead],
    'fhir.auditevent_default': [chosen],
  });
  const later = idAt(monthStart(nextMonth), 3);
  await add(later);
  expect((await parts('auditevent'))[part]).toEqual([later, ahead]);
});

test('the application makes no other part, and neither changes nor bypasses the parts there are', async () => {
  await expect(database.query('aa', "SELECT fhir.add_audit_month('2020-01-01')")).rejects.toThrow(
    'is not one of the next',
  );
  for (const statement of [
    `SELECT * FROM ${until.replace('%', 'auditevent')}`,
    "UPDATE fhir.auditevent SET content = ''",
    'DELETE FROM fhir.auditevent',
    'DELETE FROM fhir.journal',
    `DROP TABLE ${until.replace('%', 'journal')}`,
  ]) {
    await expect(database.query('aa', statement), statement).rejects.toThrow(/permission denied|must be owner/);
  }
});

test('tenants stay apart, and a search uses the index of keys', async () => {
  const { rows } = await database.query('bb', 'SELECT 1 FROM fhir.auditevent');
  expect(rows).toEqual([]);
  await superuser.query(`INSERT INTO fhir.auditevent (tenant, id, version, updated, keys, content)
    SELECT 'aa', '${timePrefix(new Date('2025-03-04'))}-' || n, 1, now(), ARRAY[100 + n], '{}' FROM generate_series(1, 5000) n`);
  await superuser.query(`ANALYZE ${until.replace('%', 'auditevent')}`);
  const { rows: lines } = await database.query<Record<string, string>>(
    'aa',
    "EXPLAIN SELECT id FROM fhir.auditevent WHERE tenant = 'aa' AND keys @> '{107}'::bigint[]",
  );
  const plan = lines.map((line) => line['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Bitmap Index Scan on auditevent_until\w+_keys/);
});

test('indexes of parts keep their small list of new entries', async () => {
  const { rows } = await superuser.query<{ relname: string; reloptions: string[] }>(
    "SELECT relname, reloptions FROM pg_class WHERE relkind = 'i' AND relname ~ '^auditevent.*keys'",
  );
  expect(rows).toHaveLength(5);
  for (const { relname, reloptions } of rows) expect(reloptions, relname).toEqual(['gin_pending_list_limit=128']);
});
