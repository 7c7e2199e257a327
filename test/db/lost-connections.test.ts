/** A connection that PostgreSQL, its operator or the network ends, in every phase of a transaction: told to who waits, and to nobody else. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Database, DatabaseAway, OutcomeUnknown, openDatabase, type Sql } from '../../src/db/index.ts';
import { testDatabase } from '../support/database.ts';
import { type DatabaseLine, openDatabaseLine } from '../support/database-line.ts';

let direct: Database;
let admin: pg.Client;
beforeAll(async () => {
  direct = await testDatabase();
  admin = new pg.Client({ connectionString: direct.adminUrl });
  await admin.connect();
  await admin.query('CREATE TABLE lines (n int)');
  await admin.query('GRANT ALL ON lines TO passerelle_app');
});
afterAll(async () => {
  await admin.end();
  await direct.close();
});

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function throughLine(answerMs?: number): Promise<{ line: DatabaseLine; database: Database }> {
  const line = await openDatabaseLine(direct.url);
  const database = openDatabase(line.url, direct.adminUrl, answerMs === undefined ? {} : { answerMs });
  opened.push(line.close, database.close);
  return { line, database };
}

const insert = (sql: Sql, n: number) => sql.query('INSERT INTO lines VALUES ($1)', [n]);
const kept = async (n: number) => (await admin.query('SELECT 1 FROM lines WHERE n = $1', [n])).rowCount;
const pidOf = async (sql: Sql) => (await sql.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!.pid;

/** Ends the session as an operator does; resolves when it is gone and everybody was told. */
async function terminate(pid: number): Promise<void> {
  await admin.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
  await new Promise((resolve) => setTimeout(resolve, 20));
}

it('a session ended between two statements of a transaction fails that transaction; nothing of it is kept', async () => {
  const work = direct.transaction('aa', async (sql) => {
    await insert(sql, 1);
    await terminate(await pidOf(sql));
    await insert(sql, 1);
  });
  await expect(work).rejects.toBeInstanceOf(DatabaseAway);
  expect(await kept(1)).toBe(0);
  expect((await direct.query('aa', 'SELECT 1')).rowCount).toBe(1);
});

it('a session ended while its statement runs fails that transaction', async () => {
  const work = direct.transaction('aa', async (sql) => {
    await insert(sql, 2);
    const pid = await pidOf(sql);
    await Promise.all([sql.query('SELECT pg_sleep(5)'), terminate(pid)]);
  });
  await expect(work).rejects.toBeInstanceOf(DatabaseAway);
  expect(await kept(2)).toBe(0);
});

it('a session ended while a single statement runs says that the statement had been sent', async () => {
  const work = direct.query('aa', 'SELECT pg_sleep(5), pg_backend_pid()');
  const failed = expect(work).rejects.toMatchObject({ name: 'DatabaseAway', wasAsked: true, code: '57P01' });
  await expect
    .poll(async () => {
      const { rowCount } = await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep(5), %'
           AND pid <> pg_backend_pid()`,
      );
      return rowCount;
    })
    .toBe(1);
  await failed;
});

it('a line that breaks in the middle of a transaction fails it; the next one has another', async () => {
  const { line, database } = await throughLine();
  const work = database.transaction('aa', async (sql) => {
    await insert(sql, 3);
    line.cut();
    await insert(sql, 3);
  });
  await expect(work).rejects.toMatchObject({ name: 'DatabaseAway', wasAsked: false });
  expect(await kept(3)).toBe(0);
  await database.transaction('aa', (sql) => insert(sql, 4));
  expect(await kept(4)).toBe(1);
});

it('a line that breaks behind COMMIT leaves open whether it was kept, and that is what is said', async () => {
  const { line, database } = await throughLine();
  line.onSent = (piece, connection) => {
    if (piece.includes('COMMIT')) connection.cut();
  };
  await expect(database.transaction('aa', (sql) => insert(sql, 5))).rejects.toBeInstanceOf(OutcomeUnknown);
  await expect.poll(() => kept(5)).toBe(1);
});

it('a deferred constraint that COMMIT finds broken is a refusal: nothing was kept, and that is known', async () => {
  await admin.query('CREATE TABLE deferred (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
  await admin.query('GRANT ALL ON deferred TO passerelle_app');
  const work = direct.transaction('aa', (sql) => sql.query('INSERT INTO deferred VALUES (1), (1)'));
  await expect(work).rejects.toMatchObject({ code: '23505' });
});

it('a line that goes silent is given up after a while, and its place goes to another', async () => {
  const { line, database } = await throughLine(300);
  await database.query('aa', 'SELECT 1');
  line.freeze();
  await expect(database.query('aa', 'SELECT 1')).rejects.toMatchObject({ name: 'DatabaseAway', wasAsked: true });
  line.thaw();
  await database
    .transaction('aa', async (sql) => {
      line.freeze();
      await expect(insert(sql, 6)).rejects.toThrow();
      line.thaw();
      await expect(insert(sql, 6)).rejects.toThrow();
    })
    .then(
      () => expect.unreachable(),
      () => undefined,
    );
  expect(await kept(6)).toBe(0);
  for (let n = 0; n < 15; n++) expect((await database.query('aa', 'SELECT 1')).rowCount).toBe(1);
});

it('a database that is not there is away, whatever the code', async () => {
  const nowhere = openDatabase('postgresql://x:y@127.0.0.1:1/z', direct.adminUrl);
  opened.push(nowhere.close);
  await expect(nowhere.query('aa', 'SELECT 1')).rejects.toMatchObject({
    name: 'DatabaseAway',
    code: 'ECONNREFUSED',
    wasAsked: false,
  });
});
