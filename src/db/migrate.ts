import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** Raised when the files and the database's history disagree. */
export class MigrationError extends Error {
  override name = 'MigrationError';
}

/** Any constant: two servers that start together must not migrate together. */
const migrationLock = 7_253_011;

/**
 * Brings the database to the newest numbered file of `folder`, each file in a transaction of its own. Files are immutable: one
 * whose text changed after it was applied is refused.
 * @returns the names applied now, oldest first.
 * @throws MigrationError on a changed or missing file; PostgreSQL's own error, with the file's name, on bad SQL.
 */
export async function migrate(adminUrl: string, folder: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'passerelle-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [migrationLock]);
    await client.query(`
      CREATE TABLE IF NOT EXISTS migration (
        name text PRIMARY KEY,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
    const { rows } = await client.query<{ name: string; sha256: string }>('SELECT name, sha256 FROM migration');
    const applied = new Map(rows.map((row) => [row.name, row.sha256]));
    const names = (await readdir(folder)).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
    const missing = [...applied.keys()].find((name) => !names.includes(name));
    if (missing) throw new MigrationError(`The database has migration ${missing}, this version does not: it is older.`);
    const done: string[] = [];
    for (const name of names) {
      const text = await readFile(join(folder, name), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      const known = applied.get(name);
      if (known === sha256) continue;
      if (known)
        throw new MigrationError(`Migration ${name} was changed after it was applied: write a new one instead.`);
      await apply(client, name, text, sha256);
      done.push(name);
    }
    return done;
  } finally {
    await client.end();
  }
}

async function apply(client: pg.Client, name: string, text: string, sha256: string): Promise<void> {
  try {
    await client.query('BEGIN');
    await client.query(text);
    await client.query('INSERT INTO migration (name, sha256) VALUES ($1, $2)', [name, sha256]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new MigrationError(`Migration ${name}: ${(error as Error).message}`, { cause: error });
  }
}
