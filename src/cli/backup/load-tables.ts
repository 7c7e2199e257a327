/** The rows of an archive into an empty database, in one transaction: all of them, or none. */
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { CommandError } from '../command-error.ts';
import { partitions, tablesInOrder } from './catalogue.ts';
import type { Manifest } from './manifest.ts';

/** Indexes of smaller tables are kept up while loading; those of larger ones are made again at the end, several times faster. */
const indexLaterRows = 10_000;

export interface TableLoader {
  load(table: string, data: AsyncIterable<Buffer>): Promise<void>;
  /** Makes the indexes, sets the sequences, puts row-level security back and commits. */
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** @throws Error when the database already serves somebody. */
export async function openLoader(adminUrl: string, manifest: Manifest): Promise<TableLoader> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'passerelle-restore' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET datestyle = 'ISO'; SET timezone = 'UTC'",
    );
    await client.query('BEGIN');
    // As the tables' owner: forced policies would refuse COPY. Lifted for this transaction only, which nobody else sees into.
    const forced = await forcedTables(client);
    for (const table of forced) await client.query(`ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY`);
    await assertEmpty(client);
    await remakePartitions(client, manifest);
    const tables = await tablesInOrder(client);
    const missing = Object.keys(manifest.columns).filter((name) => !tables.some((table) => table.name === name));
    if (missing.length > 0)
      throw new CommandError(
        `Cette version n’a pas de table ${missing.join(', ')} : restaurez avec celle qui a fait la sauvegarde.`,
      );
    // Migrations put rows of their own into some tables: the archive has them too.
    await client.query(`TRUNCATE ${tables.map(({ name }) => name).join(', ')}`);
    const indexes = await dropIndexes(client, manifest);
    return {
      async load(table, data) {
        const columns = manifest.columns[table];
        const expected = manifest.entries.find(({ kind, name }) => kind === 'table' && name === table)?.rows;
        if (!columns || expected === undefined)
          throw new CommandError(`La sauvegarde ne décrit pas la table ${table}.`);
        const copy = client.query(copyFrom(`COPY ${table} (${columns.join(', ')}) FROM STDIN`));
        await pipeline(data, createGunzip(), copy as Writable);
        if (copy.rowCount !== expected)
          throw new CommandError(`${table} : ${copy.rowCount} lignes lues sur ${expected} annoncées.`);
      },
      async finish() {
        for (const definition of indexes) await client.query(definition);
        for (const { name, last } of manifest.sequences)
          await client.query('SELECT setval($1::regclass, $2)', [name, last]);
        for (const table of forced) await client.query(`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`);
        await client.query('COMMIT');
        await client.query('ANALYZE');
        await client.end();
      },
      async abandon() {
        await client.query('ROLLBACK').catch(() => undefined);
        await client.end();
      },
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function forcedTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT oid::regclass::text AS name FROM pg_class WHERE relforcerowsecurity ORDER BY 1',
  );
  return rows.map(({ name }) => name);
}

/** The migrations made the parts of the present months; the rows come with those of their own. */
async function remakePartitions(client: pg.Client, manifest: Manifest): Promise<void> {
  for (const { name } of await partitions(client)) await client.query(`DROP TABLE ${name}`);
  for (const { name, parent, bound, protected: isProtected } of manifest.partitions) {
    await client.query(`CREATE TABLE ${name} PARTITION OF ${parent} ${bound}`);
    if (isProtected) await client.query(`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
    const { rows } = await client.query<{ column: string; target: number }>(
      `SELECT quote_ident(attname) AS column, attstattarget AS target FROM pg_attribute
       WHERE attrelid = $1::regclass AND attstattarget > 0`,
      [parent],
    );
    for (const { column, target } of rows) {
      await client.query(`ALTER TABLE ${name} ALTER COLUMN ${column} SET STATISTICS ${target}`);
    }
  }
}

async function assertEmpty(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ used: boolean }>(
    `SELECT EXISTS (SELECT FROM account) OR EXISTS (SELECT FROM tenant WHERE tenant <> 'platform') OR EXISTS (SELECT FROM fhir.journal)
       AS used`,
  );
  if (rows[0]?.used) throw new CommandError('La base n’est pas vide : restaurez dans une base neuve.');
}

async function dropIndexes(client: pg.Client, manifest: Manifest): Promise<string[]> {
  const large = manifest.entries.filter(({ kind, rows = 0 }) => kind === 'table' && rows > indexLaterRows);
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE c.relkind = 'r' AND NOT c.relispartition AND c.oid::regclass::text = ANY ($1)
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)`,
    [large.map(({ name }) => name)],
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return rows.map(({ definition }) => definition);
}
