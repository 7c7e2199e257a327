import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { buildIndex, isIndexBuild, parseIndexBuild } from './index-build.ts';

/** Raised when the files and the database's history disagree. */
export class MigrationError extends Error {
  override name = 'MigrationError';
}

/** Any constant: two servers that start together must not migrate together. */
const migrationLock = 7_253_011;
const lockRetryMs = 100;

/** A file that the database does not know yet. */
interface Migration {
  name: string;
  run(client: pg.Client): Promise<void>;
}

/**
 * Brings the database to the newest numbered file of `folder`: each file in a transaction of its own, in order; after them those that
 * begin with `-- concurrently`, which build one index each while others write. Files are immutable: one whose text changed after it was
 * applied is refused, before anything is applied.
 * @returns the names applied now, in the order they were.
 * @throws MigrationError on a changed, missing or malformed file; with PostgreSQL's own error as its cause on bad SQL.
 */
export async function migrate(adminUrl: string, folder: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'passerelle-migrate' });
  // A connection lost while nothing runs on it is told by the next statement; without a listener the process would end.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await lock(client);
    await client.query(`
      CREATE TABLE IF NOT EXISTS migration (
        name text PRIMARY KEY,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
    const { rows } = await client.query<{ name: string; sha256: string }>('SELECT name, sha256 FROM migration');
    const todo = await pending(folder, new Map(rows.map((row) => [row.name, row.sha256])));
    for (const { name, run } of todo) {
      await run(client).catch((error: unknown) => {
        throw new MigrationError(`La migration ${name} a échoué : ${(error as Error).message}`, { cause: error });
      });
    }
    return todo.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/**
 * Of the session, until it ends. Asked for again and again, because a statement that waits keeps a snapshot, and a concurrent build
 * waits for every older snapshot: two servers would wait for each other.
 */
async function lock(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
      migrationLock,
    ]);
    if (rows[0]?.locked) return;
    await pause(lockRetryMs);
  }
}

/** What is to be applied, in order. @param applied hash by name. */
async function pending(folder: string, applied: ReadonlyMap<string, string>): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  const missing = [...applied.keys()].find((name) => !names.includes(name));
  if (missing)
    throw new MigrationError(
      `La base a la migration ${missing}, que cette version n’a pas : elle est plus ancienne que la base. Installez la version qui a servi la base.`,
    );
  const inTransactions: Migration[] = [];
  const besideWriters: Migration[] = [];
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const known = applied.get(name);
    if (known === sha256) continue;
    if (known)
      throw new MigrationError(
        `La migration ${name} a changé depuis qu’elle a été appliquée : remettez le fichier d’origine, et écrivez-en une nouvelle.`,
      );
    if (isIndexBuild(text)) besideWriters.push(indexMigration(name, text, sha256));
    else inTransactions.push(transactionMigration(name, text, sha256));
  }
  return [...inTransactions, ...besideWriters];
}

function transactionMigration(name: string, text: string, sha256: string): Migration {
  return {
    name,
    async run(client) {
      try {
        await client.query('BEGIN');
        await client.query(text);
        await record(client, name, sha256);
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    },
  };
}

function indexMigration(name: string, text: string, sha256: string): Migration {
  const build = parseIndexBuild(text);
  if (!build) {
    throw new MigrationError(
      `Migration ${name} : après « -- concurrently » vient un seul CREATE INDEX CONCURRENTLY IF NOT EXISTS.`,
    );
  }
  return {
    name,
    async run(client) {
      await buildIndex(client, build);
      await record(client, name, sha256);
    },
  };
}

async function record(client: pg.Client, name: string, sha256: string): Promise<void> {
  await client.query('INSERT INTO migration (name, sha256) VALUES ($1, $2)', [name, sha256]);
}
