/** SQL of the resource tables (migrations/0010_fhir_resources.sql). Writes are prepared statements: one parse per connection. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { type IndexEntry, noDate } from '../search/index-values.ts';
import { tableOf } from '../search/scope.ts';
import type { StoredVersion } from './contract.ts';
import { type JournalEntry, journalRow } from './journal-entry.ts';

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

/** Sizes of the multi-row statements: rows missing to the next size are sent as NULLs, so that few statements are ever prepared. */
const rowCounts = [1, 2, 4, 8, 16, 32, 64] as const;
const mostRows = 64;

/** Inserts first versions under ids nobody else can have taken, or whose rows are `left` as they are. */
export async function insertRows(
  sql: Sql,
  tenant: string,
  rows: readonly NewRow[],
  options: { known?: 'left' } = {},
): Promise<void> {
  for (const [type, list] of Map.groupBy(rows, (row) => row.type)) {
    for (let at = 0; at < list.length; at += mostRows) {
      const chunk = list.slice(at, at + mostRows);
      const statement = startStatement(tenant);
      addRows(statement, type, chunk, options.known === 'left');
      addOrderedValues(statement, chunk);
      await sql.query(endStatement(statement));
    }
  }
}

/** Up to 64 rows of one type with their ordered values, and entries of the journal, in one statement. */
export function batchStatement(
  tenant: string,
  rows: readonly NewRow[],
  entries: readonly JournalEntry[],
): { name: string; text: string; values: unknown[] } {
  const statement = startStatement(tenant);
  const [first] = rows;
  if (first) {
    addRows(statement, first.type, rows);
    addOrderedValues(statement, rows);
  }
  if (entries.length > 0) addJournal(statement, entries);
  return endStatement(statement);
}

/** True when `batchStatement` takes these rows. */
export function fitsOneStatement(rows: readonly NewRow[]): boolean {
  return rows.length <= mostRows && rows.every((row) => row.type === rows[0]!.type);
}

/** A statement under construction: several INSERTs as one, each part known by a word of the statement's name. */
interface Statement {
  name: string;
  parts: string[];
  values: unknown[];
}

function startStatement(tenant: string): Statement {
  return { name: 'fhir_add', parts: [], values: [tenant] };
}

function endStatement({ name, parts, values }: Statement): { name: string; text: string; values: unknown[] } {
  const last = parts.at(-1)!;
  const before = parts.slice(0, -1).map((part, n) => `p${n} AS (${part})`);
  return { name, text: before.length > 0 ? `WITH ${before.join(', ')} ${last}` : last, values };
}

function addRows(statement: Statement, type: ResourceType, rows: readonly NewRow[], leavesKnown = false): void {
  const size = rowCounts.find((count) => count >= rows.length)!;
  const dateCount = rows[0]!.index.dateColumns.length;
  statement.name += `_${type}_${size}${leavesKnown ? '_l' : ''}`;
  const text = insertText(type, size, dateCount, statement.values.length);
  statement.parts.push(leavesKnown ? `${text} ON CONFLICT (tenant, id) DO NOTHING` : text);
  for (const row of rows) statement.values.push(...rowValues(row));
  const missing = (size - rows.length) * (rowWidth + dateCount);
  for (let n = 0; n < missing; n++) statement.values.push(null);
}

function addJournal(statement: Statement, entries: readonly JournalEntry[]): void {
  const at = statement.values.push(...journalRow(entries)) - 1;
  statement.name += '_j';
  statement.parts.push(
    `INSERT INTO fhir.journal (tenant, id, entries) VALUES ($1, $${at}, $${at + 1})`,
    `INSERT INTO fhir.journal_pending (tenant, id) VALUES ($1, $${at})`,
  );
}

/** Inserts a first version unless the id is taken; false when it is. Waits for another transaction that is just taking it. */
export async function insertRowIfFree(sql: Sql, tenant: string, row: NewRow): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: `fhir_insert_free_${row.type}`,
    text: `${insertText(row.type, 1, row.index.dateColumns.length, 1)} ON CONFLICT (tenant, id) DO NOTHING`,
    values: [tenant, ...rowValues(row)],
  });
  if (!rowCount) return false;
  await insertOrderedValues(sql, tenant, [row]);
  return true;
}

function rowValues({ id, version, updated, index, text }: NewRow): unknown[] {
  return [id, version, updated.toISOString(), ...index.dateColumns, index.keys, text];
}

/** Values of a row without dates: id, version, updated, keys, content. */
const rowWidth = 5;

/** @param before parameters of the statement already taken. */
function insertText(type: string, size: number, dateCount: number, before: number): string {
  const columns = ['id', 'version', 'updated', ...dateColumnNames(dateCount), 'keys', 'content'];
  const types = ['text', 'integer', 'timestamptz', ...Array(dateCount).fill('timestamptz'), 'bigint[]', 'text'];
  const row = (_: unknown, n: number) =>
    `(${types.map((name, column) => `$${before + 1 + n * types.length + column}::${name}`).join(', ')})`;
  const values = `(VALUES ${Array.from({ length: size }, row).join(', ')}) v (${columns.join(', ')})`;
  return `INSERT INTO ${tableOf(type)} (tenant, ${columns.join(', ')}) SELECT $1::text, v.* FROM ${values} WHERE v.id IS NOT NULL`;
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
  await removeOrderedValues(sql, tenant, [row.id], orderedKeys);
  await insertOrderedValues(sql, tenant, [row]);
}

/** Gives up to 64 held rows of one type the search values of `rows`, where they differ; versions and content stay. */
export async function rewriteIndex(
  sql: Sql,
  tenant: string,
  rows: readonly NewRow[],
  orderedKeys: readonly number[],
): Promise<void> {
  const [first] = rows;
  if (!first) return;
  const dates = dateColumnNames(first.index.dateColumns.length);
  const columns = [...dates, 'keys'];
  const types = ['text', ...dates.map(() => 'timestamptz'), 'bigint[]'];
  const value = (_: unknown, n: number) =>
    `(${types.map((type, column) => `$${2 + n * types.length + column}::${type}`).join(', ')})`;
  await sql.query(
    `UPDATE ${tableOf(first.type)} r SET ${columns.map((name) => `${name} = v.${name}`).join(', ')}
     FROM (VALUES ${rows.map(value).join(', ')}) v (id, ${columns.join(', ')})
     WHERE r.tenant = $1 AND r.id = v.id
       AND (${columns.map((name) => `r.${name}`).join(', ')}) IS DISTINCT FROM (${columns.map((name) => `v.${name}`).join(', ')})`,
    [tenant, ...rows.flatMap(({ id, index }) => [id, ...index.dateColumns, index.keys])],
  );
  if (orderedKeys.length === 0) return;
  await removeOrderedValues(
    sql,
    tenant,
    rows.map(({ id }) => id),
    orderedKeys,
  );
  await insertOrderedValues(sql, tenant, rows);
}

/** Marks a locked row as deleted: a version without content that no search finds. Its keys say who may know that it was there. */
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
      keys = $5::bigint[], content = ''${dates.map((name) => `, ${name} = '${noDate}'`).join('')}
      WHERE tenant = $1 AND id = $2`,
    values: [tenant, row.id, row.version, row.updated.toISOString(), row.index.keys],
  });
  await removeOrderedValues(sql, tenant, [row.id], orderedKeys);
}

function supersede(type: string): string {
  return `WITH superseded AS (
    INSERT INTO ${pastTableOf(type)} (tenant, id, version, updated, deleted, content)
    SELECT tenant, id, version, updated, deleted, content FROM ${tableOf(type)} WHERE tenant = $1 AND id = $2)`;
}

async function insertOrderedValues(sql: Sql, tenant: string, rows: readonly NewRow[]): Promise<void> {
  const statement = startStatement(tenant);
  addOrderedValues(statement, rows);
  if (statement.parts.length > 0) await sql.query(endStatement(statement));
}

function addOrderedValues(statement: Statement, rows: readonly NewRow[]): void {
  addArrays(statement, 'string_key', rows, ({ strings }) => strings, { param: 'integer', value: 'text' });
  const instants = { param: 'integer', lo: 'timestamptz', hi: 'timestamptz' };
  addArrays(statement, 'date_key', rows, ({ dates }) => dates, instants);
  const measures = { param: 'integer', unit: 'bigint', lo: 'double precision', hi: 'double precision' };
  addArrays(statement, 'number_key', rows, ({ numbers }) => numbers, measures);
}

/** Rows of a table of ordered values, a column an array. */
function addArrays<Value extends object>(
  statement: Statement,
  table: string,
  rows: readonly NewRow[],
  select: (index: IndexEntry) => readonly Value[],
  columns: { [Column in keyof Value]: string },
): void {
  const values = rows.flatMap(({ id, index }) => select(index).map((value) => ({ id, ...value })));
  if (values.length === 0) return;
  const names = [...Object.keys(columns), 'id'] as (keyof Value)[];
  const types = [...Object.values<string>(columns), 'text'];
  const first = statement.values.length + 1;
  statement.values.push(...names.map((name) => values.map((value) => value[name])));
  // PostgreSQL tells names apart by 63 bytes.
  statement.name += `_${table[0]}`;
  statement.parts.push(`INSERT INTO fhir.${table} (tenant, ${names.join(', ')})
    SELECT $1::text, * FROM unnest(${types.map((type, n) => `$${first + n}::${type}[]`).join(', ')}) ON CONFLICT DO NOTHING`);
}

/** `orderedKeys` are the parameters of the type that have rows there; ids of other types may be the same. */
async function removeOrderedValues(
  sql: Sql,
  tenant: string,
  ids: readonly string[],
  orderedKeys: readonly number[],
): Promise<void> {
  if (orderedKeys.length === 0) return;
  await sql.query({
    name: 'fhir_remove_ordered',
    text: `WITH strings AS (DELETE FROM fhir.string_key WHERE tenant = $1 AND id = ANY($2::text[]) AND param = ANY($3::integer[])),
      dates AS (DELETE FROM fhir.date_key WHERE tenant = $1 AND id = ANY($2::text[]) AND param = ANY($3::integer[]))
      DELETE FROM fhir.number_key WHERE tenant = $1 AND id = ANY($2::text[]) AND param = ANY($3::integer[])`,
    values: [tenant, ids, orderedKeys],
  });
}
