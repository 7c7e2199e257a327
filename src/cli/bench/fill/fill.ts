/**
 * Fills a tenant by COPY, with the very index values a write would make: indexes of the tables are taken away first and built again at
 * the end, as anyone does who loads millions of rows.
 */
import { once } from 'node:events';
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { SearchValues } from '../../../fhir/index.ts';
import { boolean, copyHeader, copyRow, copyTrailer, float8, int4, int8, text, timestamptz } from './copy-rows.ts';

const orderedTables = ['string_key', 'date_key', 'number_key'] as const;

interface Index {
  name: string;
  definition: string;
}

/** A COPY under way into one table. */
interface Copy {
  write(row: Buffer): Promise<void>;
  end(): Promise<void>;
}

export interface Fill {
  /** Superuser's connection string. */
  adminUrl: string;
  tenant: string;
  index: SearchValues;
  population: Population;
}

/** What a tenant is filled with, the same at every run. */
export interface Population {
  /** Types it is made of. */
  types: readonly ResourceType[];
  /** Everything that comes with the n-th arrival of `total`. */
  arrivals(n: number, total: number): Iterable<Resource & { id: string }>;
}

/** Adds the arrivals `first … last-1` and everything that belongs to them; leaves the tables indexed, vacuumed and analysed. */
export async function fill(wanted: Fill, first: number, last: number): Promise<void> {
  const { adminUrl, population } = wanted;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    const tables = [...population.types.map((type) => type.toLowerCase()), ...orderedTables];
    const indexes = await dropIndexes(admin, tables);
    await copyArrivals(wanted, first, last);
    await admin.query("SET maintenance_work_mem = '1GB'");
    for (const { definition } of indexes) await admin.query(definition);
    for (const table of tables) await admin.query(`VACUUM ANALYZE fhir.${table}`);
    await admin.query('CHECKPOINT');
  } finally {
    await admin.end();
  }
}

/** Every index but those of primary keys. */
async function dropIndexes(admin: pg.Client, tables: readonly string[]): Promise<Index[]> {
  const { rows } = await admin.query<Index>(
    `SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
     JOIN pg_namespace n ON n.oid = t.relnamespace
     WHERE n.nspname = 'fhir' AND t.relname = ANY ($1) AND NOT i.indisprimary`,
    [tables],
  );
  for (const { name } of rows) await admin.query(`DROP INDEX fhir.${admin.escapeIdentifier(name)}`);
  return rows;
}

async function copyArrivals({ adminUrl, tenant, index, population }: Fill, first: number, last: number) {
  const open = new Map<string, Copy>();
  const into = async (table: string, columns: readonly string[]): Promise<Copy> => {
    const known = open.get(table);
    if (known) return known;
    const made = await openCopy(adminUrl, table, columns);
    open.set(table, made);
    return made;
  };
  const owner = text(tenant);
  for (let n = first; n < last; n++) {
    for (const resource of population.arrivals(n, last)) {
      const entry = index(tenant, resource.resourceType, resource);
      const dates = entry.dateColumns.map((_, column) => `d${(column >> 1) + 1}_${column % 2 === 0 ? 'lo' : 'hi'}`);
      const columns = ['tenant', 'id', 'version', 'updated', 'deleted', ...dates, 'keys', 'content'];
      const id = text(resource.id);
      const updated = timestamptz(resource.meta!.lastUpdated!);
      const table = await into(resource.resourceType.toLowerCase(), columns);
      await table.write(
        copyRow([
          owner,
          id,
          int4(1),
          updated,
          boolean(false),
          ...entry.dateColumns.map(timestamptz),
          entry.keys,
          text(JSON.stringify(resource)),
        ]),
      );
      if (entry.strings.length > 0) {
        const strings = await into('string_key', ['tenant', 'param', 'value', 'id']);
        for (const { param, value } of entry.strings)
          await strings.write(copyRow([owner, int4(param), text(value), id]));
      }
      if (entry.dates.length > 0) {
        const table = await into('date_key', ['tenant', 'param', 'lo', 'hi', 'id']);
        for (const { param, lo, hi } of entry.dates)
          await table.write(copyRow([owner, int4(param), timestamptz(lo), timestamptz(hi), id]));
      }
      if (entry.numbers.length > 0) {
        const numbers = await into('number_key', ['tenant', 'param', 'unit', 'lo', 'hi', 'id']);
        for (const { param, unit, lo, hi } of entry.numbers)
          await numbers.write(copyRow([owner, int4(param), int8(BigInt(unit)), float8(lo), float8(hi), id]));
      }
    }
  }
  await Promise.all([...open.values()].map((copy) => copy.end()));
}

const chunkBytes = 1 << 18;

async function openCopy(adminUrl: string, table: string, columns: readonly string[]): Promise<Copy> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  const stream = client.query(copyFrom(`COPY fhir.${table} (${columns.join(', ')}) FROM STDIN (FORMAT binary)`));
  const finished = once(stream, 'finish');
  finished.catch(() => undefined);
  let chunk: Buffer[] = [copyHeader];
  let bytes = 0;
  const flush = async () => {
    const ready = stream.write(Buffer.concat(chunk));
    chunk = [];
    bytes = 0;
    if (!ready) await Promise.race([once(stream, 'drain'), finished]);
  };
  return {
    async write(row) {
      chunk.push(row);
      bytes += row.length;
      if (bytes >= chunkBytes) await flush();
    },
    async end() {
      chunk.push(copyTrailer);
      await flush();
      stream.end();
      await finished;
      await client.end();
    },
  };
}
