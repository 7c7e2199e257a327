import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import { ensureDatabase, migrate } from '../../src/db/index.ts';

const build = (name: string) => `-- concurrently
-- Exams are looked for by their site.
CREATE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON exam (site);
`;

let root = '';
let folder = '';
let url = '';
let writer: pg.Client;
/** Holds a transaction in which it wrote: no concurrent build ends before it does. */
let slowWriter: pg.Client;
let databases = 0;
const patience = { timeout: 10_000 };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'passerelle-index-builds-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

beforeEach(async () => {
  databases++;
  folder = join(root, String(databases));
  await mkdir(folder);
  url = await ensureDatabase(inject('superuserUrl'), `index_build_${process.pid}_${databases}`);
  await file('0001_exam.sql', 'CREATE TABLE exam (id int, site text);');
  await migrate(url, folder);
  [writer, slowWriter] = await Promise.all([connect(), connect()]);
  return () => Promise.all([writer.end(), slowWriter.end()]);
});

it('builds the index after the files that need a transaction, and once', async () => {
  await file('0002_index.sql', build('exam_site'));
  await file('0003_rows.sql', "INSERT INTO exam SELECT n, 'site ' || n FROM generate_series(1, 1000) n;");
  expect(await migrate(url, folder)).toEqual(['0003_rows.sql', '0002_index.sql']);
  expect(await validity('exam_site')).toBe(true);
  expect(await migrate(url, folder)).toEqual([]);
  await file('0002_index.sql', build('exam_other'));
  await expect(migrate(url, folder)).rejects.toThrow('0002_index.sql a changé depuis qu’elle a été appliquée');
});

it('lets others write while it builds, and misses nothing of what they wrote', async () => {
  await file('0002_index.sql', build('exam_site'));
  await slowWriter.query("BEGIN; INSERT INTO exam VALUES (1, 'before')");
  const migrating = migrate(url, folder);
  await buildIsWaiting();

  await writer.query("SET lock_timeout = '1s'");
  await writer.query("INSERT INTO exam VALUES (2, 'during')");
  await writer.query("UPDATE exam SET site = 'changed' WHERE id = 2");
  await slowWriter.query('COMMIT');
  expect(await migrating).toEqual(['0002_index.sql']);

  await writer.query('SET enable_seqscan = off');
  const { rows } = await writer.query("SELECT id FROM exam WHERE site IN ('before', 'changed') ORDER BY id");
  expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  const { rows: plan } = await writer.query("EXPLAIN SELECT id FROM exam WHERE site = 'before'");
  expect(JSON.stringify(plan)).toContain('exam_site');
});

it('builds anew what an interrupted build left', async () => {
  await file('0002_index.sql', build('exam_site'));
  await slowWriter.query("BEGIN; INSERT INTO exam VALUES (1, 'a')");
  const interrupted = expect(migrate(url, folder)).rejects.toThrow('La migration 0002_index.sql a échoué');
  await buildIsWaiting();
  await writer.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'passerelle-migrate'`,
  );
  await interrupted;
  await slowWriter.query('COMMIT');
  expect(await validity('exam_site')).toBe(false);

  expect(await migrate(url, folder)).toEqual(['0002_index.sql']);
  expect(await validity('exam_site')).toBe(true);
});

it('does not record a build that failed, and can go on when the data is mended', async () => {
  await file('0002_index.sql', build('exam_site').replace('INDEX', 'UNIQUE INDEX'));
  await writer.query("INSERT INTO exam VALUES (1, 'same'), (2, 'same')");
  await expect(migrate(url, folder)).rejects.toThrow(
    'La migration 0002_index.sql a échoué : could not create unique index',
  );
  await writer.query('DELETE FROM exam WHERE id = 2');
  expect(await migrate(url, folder)).toEqual(['0002_index.sql']);
  await expect(writer.query("INSERT INTO exam VALUES (3, 'same')")).rejects.toThrow('duplicate key');
});

it('takes an index built ahead by hand, but not one of another table with the name', async () => {
  await file('0002_index.sql', build('exam_site'));
  await writer.query('CREATE INDEX exam_site ON exam (site)');
  expect(await migrate(url, folder)).toEqual(['0002_index.sql']);

  await file('0003_index.sql', build('taken'));
  await writer.query('CREATE TABLE other (site text); CREATE INDEX taken ON other (site)');
  await expect(migrate(url, folder)).rejects.toThrow(
    'La migration 0003_index.sql a échoué : taken est le nom d’autre chose',
  );
});

it('lets two servers that start at once wait for each other without a deadlock', async () => {
  await file('0002_index.sql', build('exam_site'));
  await slowWriter.query("BEGIN; INSERT INTO exam VALUES (1, 'a')");
  const first = migrate(url, folder);
  await buildIsWaiting();
  const second = migrate(url, folder);
  await vi.waitFor(async () => {
    const { rowCount } = await writer.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query ~ '^SELECT pg_(try_)?advisory_lock'",
    );
    expect(rowCount).toBe(1);
  }, patience);
  await slowWriter.query('COMMIT');
  expect(await Promise.all([first, second])).toEqual([['0002_index.sql'], []]);
  expect(await validity('exam_site')).toBe(true);
});

it.each([
  ['two statements', `${build('exam_site')}DROP TABLE exam;`],
  ['no statement', '-- concurrently\n'],
  ['an index that would block writers', '-- concurrently\nCREATE INDEX IF NOT EXISTS exam_site ON exam (site);'],
  ['an index that could not be built again', '-- concurrently\nCREATE INDEX CONCURRENTLY exam_site ON exam (site);'],
])('refuses a file with %s before anything is applied', async (_what, text) => {
  await file('0002_table.sql', 'CREATE TABLE never (n int);');
  await file('0003_index.sql', text);
  await expect(migrate(url, folder)).rejects.toThrow(
    'Migration 0003_index.sql : après « -- concurrently » vient un seul',
  );
  const { rows } = await writer.query("SELECT to_regclass('never') AS never, to_regclass('exam') AS exam");
  expect(rows).toEqual([{ never: null, exam: 'exam' }]);
});

function file(name: string, text: string): Promise<void> {
  return writeFile(join(folder, name), text);
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}

/** Resolves when a build has made its index and waits for the transaction of `slowWriter`. */
async function buildIsWaiting(): Promise<void> {
  await vi.waitFor(async () => {
    const { rowCount } = await writer.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'passerelle-migrate'
         AND query ~ 'CREATE INDEX CONCURRENTLY' AND wait_event_type = 'Lock'`,
    );
    expect(rowCount).toBe(1);
  }, patience);
}

async function validity(index: string): Promise<boolean | undefined> {
  const { rows } = await writer.query<{ valid: boolean }>(
    'SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)',
    [index],
  );
  return rows[0]?.valid;
}
