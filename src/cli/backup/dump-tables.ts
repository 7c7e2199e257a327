/** Every row of every table, of one moment, as COPY text compressed. */
import { pipeline, type Readable } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { applicationRole } from '../../db/index.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { seesEverything, type Table } from './catalogue.ts';

/** A transaction on the owner's connection that sees one moment and changes nothing. */
export async function openSnapshot(adminUrl: string): Promise<{ client: pg.Client; at: Date; end(): Promise<void> }> {
  const client = new pg.Client({ connectionString: adminUrl, application_name: 'passerelle-backup' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    // A setting of the login must not end a COPY of hours.
    await client.query(
      "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET datestyle = 'ISO'; SET timezone = 'UTC'",
    );
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ at: Date }>('SELECT clock_timestamp() AS at');
    return { client, at: rows[0]!.at, end: () => client.end() };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** @returns how many rows were written. */
export async function dumpTables(
  client: pg.Client,
  tables: readonly Table[],
  tenants: readonly string[],
  archive: ArchiveWriter,
): Promise<number> {
  const isWhole = await seesEverything(client);
  let total = 0;
  for (const table of tables) {
    let rows = 0;
    const scopes = isWhole || !table.byTenant ? [undefined] : tenants;
    const text = async function* () {
      for (const tenant of scopes) {
        await enterTenant(client, tenant);
        const copy = client.query(copyTo(copyStatement(table, tenant)));
        for await (const chunk of copy as Readable) yield chunk as Buffer;
        rows += copy.rowCount ?? 0;
      }
    };
    await archive.entry('table', table.name, compressed(text()), () => rows);
    total += rows;
  }
  await enterTenant(client, undefined);
  return total;
}

/** As the application, whose policy is the tenant alone: an owner may be a member of the role whose rows are limited. */
export async function enterTenant(client: pg.Client, tenant: string | undefined): Promise<void> {
  if (tenant === undefined) await client.query("SELECT set_config('role', 'none', true)");
  else {
    await client.query("SELECT set_config('role', $1, true), set_config('passerelle.tenant', $2, true)", [
      applicationRole,
      tenant,
    ]);
  }
}

/** A protected table is read through its policies: the condition keeps out what a policy shows of another tenant (the platform's). */
function copyStatement({ name, columns }: Table, tenant: string | undefined): string {
  const list = columns.join(', ');
  const where = tenant === undefined ? '' : ` WHERE tenant = ${pg.escapeLiteral(tenant)}`;
  return `COPY (SELECT ${list} FROM ${name}${where}) TO STDOUT`;
}

function compressed(text: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  return pipeline(text, createGzip({ level: constants.Z_BEST_SPEED }), () => undefined);
}
