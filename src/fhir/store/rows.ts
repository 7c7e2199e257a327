/** SQL of the resource tables (migrations/0010_fhir_resources.sql). Writes are prepared statements: one parse per connection. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { type IndexEntry, noDate } from '../search/index-values.ts';
import { tableOf } from '../search/scope.ts';
import type { StoredVersion } from './contract.ts';

/** One version about to be written. */
export interface NewRow {
  type: ResourceType;
  id: string;
  version: number;
  updated: Date;
  text: string;
  index: IndexEntry;
}

export interface CurrentRow {
  id: string;
  version: number;
  updated: Date;
  deleted: boolean;
  content: string;
}

export function pastTableOf(type: string): string {
  return `fhir."${type.toLowerCase()}_past"`;
}

export function storedVersion(type: ResourceType, row: CurrentRow): StoredVersion {
  const { id, version, updated, deleted, content } = row;
  return { type, id, version, updated, deleted, text: content };
}

/** Sizes of the multi-row statements; a batch is split into these, so that few statements are ever prepared. */
const rowCounts = [32, 16, 8, 4, 2, 1];

/** Inserts first versions under ids nobody else can have taken. */
export async function insertRows(sql: Sql, tenant: string, rows: readonly NewRow[]): Promise<void> {
  const byType = Map.groupBy(rows, (row) => row.type);
  for (const [type, list] of byType) {
    let at = 0;
    for (const size of rowCounts) {
      for (; list.length - at >= size; at += size) {
        const chunk = list.slice(at, at + size);
        await sql.query({
          name: `fhir_insert_${type}_${size}`,
          text: insertText(type, size, chunk[0]!.index.dateColumns.length),
          values: [tenant, ...chunk.flatMap(rowValues)],
        });
      }
    }
  }
  await insertOrderedValues(sql, tenant, rows);
}

/** Inserts a first version unless the id is taken; false when it is. Waits for another transaction that is just taking it. */
export async function insertRowIfFree(sql: Sql, tenant: string, row: NewRow): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: `fhir_insert_free_${row.type}`,
    text: `${insertText(row.type, 1, row.index.dateColumns.length)} ON CONFLICT (tenant, id) DO NOTHING`,
    values: [tenant, ...rowValues(row)],
  });
  if (!rowCount) return false;
  await insertOrderedValues(sql, tenant, [row]);
  return true;
}

function rowValues({ id, version, updated, index, text }: NewRow): unknown[] {
  return [id, version, updated.toISOString(), ...index.dateColumns, index.keys, text];
}

function insertText(type: string, size: number, dateCount: number): string {
  const columns = ['tenant', 'id', 'version', 'updated', ...dateColumnNames(dateCount), 'keys', 'content'];
  const types = ['text', 'text', 'integer', 'timestamptz', ...Array(dateCount).fill('timestamptz'), 'bigint[]', 'text'];
  const width = columns.length - 1;
  const row = (_: unknown, n: number) =>
    `($1, ${types
      .slice(1)
      .map((name, column) => `$${2 + n * width + column}::${name}`)
      .join(', ')})`;
  return `INSERT INTO ${tableOf(type)} (${columns.join(', ')}) VALUES ${Array.from({ length: size }, row).join(', ')}`;
}

function dateColumnNames(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `d${(n >> 1) + 1}_${n % 2 === 0 ? 'lo' : 'hi'}`);
}

/** The current row, locked until the end of the transaction; a deleted one too. */
export async function lockRow(sql: Sql, tenant: string, type: string, id: string): Promise<CurrentRow | undefined> {
  const { rows } = await sql.query<CurrentRow>({
    name: `fhir_lock_${type}`,
    text: `SELECT id, version, updated, deleted, content FROM ${tableOf(type)} WHERE tenant = $1 AND id = $2 FOR UPDATE`,
    values: [tenant, id],
  });
  return rows[0];
}

/** Replaces a locked row by its next version; the superseded one goes to the history in the same statement. */
export async function replaceRow(sql: Sql, tenant: string, row: NewRow, orderedKeys: readonly number[]): Promise<void> {
  const dates = dateColumnNames(row.index.dateColumns.length);
  const next = 7;
  await sql.query({
    name: `fhir_replace_${row.type}`,
    text: `${supersede(row.type)} UPDATE ${tableOf(row.type)} SET version = $3::integer, updated = $4::timestamptz, deleted = false,
      keys = $5::bigint[], content = $6::text${dates.map((name, n) => `, ${name} = $${next + n}::timestamptz`).join('')}
      WHERE tenant = $1 AND id = $2`,
    values: [
      tenant,
      row.id,
      row.version,
      row.updated.toISOString(),
      row.index.keys,
      row.text,
      ...row.index.dateColumns,
    ],
  });
  await removeOrderedValues(sql, tenant, row.id, orderedKeys);
  await insertOrderedValues(sql, tenant, [row]);
}

/** Marks a locked row as deleted: a version without content that no search finds. */
export async function deleteRow(
  sql: Sql,
  tenant: string,
  row: Omit<NewRow, 'text'>,
  orderedKeys: readonly number[],
): Promise<void> {
  const dates = dateColumnNames(row.index.dateColumns.length);
  await sql.query({
    name: `fhir_delete_${row.type}`,
    text: `${supersede(row.type)} UPDATE ${tableOf(row.type)} SET version = $3::integer, updated = $4::timestamptz, deleted = true,
      keys = '{}', content = ''${dates.map((name) => `, ${name} = '${noDate}'`).join('')}
      WHERE tenant = $1 AND id = $2`,
    values: [tenant, row.id, row.version, row.updated.toISOString()],
  });
  await removeOrderedValues(sql, tenant, row.id, orderedKeys);
}

function supersede(type: string): string {
  return `WITH superseded AS (
    INSERT INTO ${pastTableOf(type)} (tenant, id, version, updated, deleted, content)
    SELECT tenant, id, version, updated, deleted, content FROM ${tableOf(type)} WHERE tenant = $1 AND id = $2)`;
}

async function insertOrderedValues(sql: Sql, tenant: string, rows: readonly NewRow[]): Promise<void> {
  const strings = rows.flatMap(({ id, index }) => index.strings.map((value) => ({ id, ...value })));
  const dates = rows.flatMap(({ id, index }) => index.dates.map((value) => ({ id, ...value })));
  const numbers = rows.flatMap(({ id, index }) => index.numbers.map((value) => ({ id, ...value })));
  if (strings.length > 0) {
    await sql.query({
      name: 'fhir_string_key',
      text: `INSERT INTO fhir.string_key (tenant, param, value, id)
        SELECT $1, * FROM unnest($2::integer[], $3::text[], $4::text[]) ON CONFLICT DO NOTHING`,
      values: [
        tenant,
        strings.map(({ param }) => param),
        strings.map(({ value }) => value),
        strings.map(({ id }) => id),
      ],
    });
  }
  if (dates.length > 0) {
    await sql.query({
      name: 'fhir_date_key',
      text: `INSERT INTO fhir.date_key (tenant, param, lo, hi, id)
        SELECT $1, * FROM unnest($2::integer[], $3::timestamptz[], $4::timestamptz[], $5::text[]) ON CONFLICT DO NOTHING`,
      values: [
        tenant,
        dates.map(({ param }) => param),
        dates.map(({ lo }) => lo),
        dates.map(({ hi }) => hi),
        dates.map(({ id }) => id),
      ],
    });
  }
  if (numbers.length > 0) {
    await sql.query({
      name: 'fhir_number_key',
      text: `INSERT INTO fhir.number_key (tenant, param, unit, lo, hi, id)
        SELECT $1, * FROM unnest($2::integer[], $3::bigint[], $4::double precision[], $5::double precision[], $6::text[])
        ON CONFLICT DO NOTHING`,
      values: [
        tenant,
        numbers.map(({ param }) => param),
        numbers.map(({ unit }) => unit),
        numbers.map(({ lo }) => lo),
        numbers.map(({ hi }) => hi),
        numbers.map(({ id }) => id),
      ],
    });
  }
}

/** `orderedKeys` are the parameters of the type that have rows there; ids of other types may be the same. */
async function removeOrderedValues(
  sql: Sql,
  tenant: string,
  id: string,
  orderedKeys: readonly number[],
): Promise<void> {
  if (orderedKeys.length === 0) return;
  await sql.query({
    name: 'fhir_remove_ordered',
    text: `WITH strings AS (DELETE FROM fhir.string_key WHERE tenant = $1 AND id = $2 AND param = ANY($3::integer[])),
      dates AS (DELETE FROM fhir.date_key WHERE tenant = $1 AND id = $2 AND param = ANY($3::integer[]))
      DELETE FROM fhir.number_key WHERE tenant = $1 AND id = $2 AND param = ANY($3::integer[])`,
    values: [tenant, id, orderedKeys],
  });
}
