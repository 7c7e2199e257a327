/** Rows of one type for an export, a few hundred at a time: never a type in memory. */
import type { ResourceType } from '@medplum/fhirtypes';
import { seenCondition } from '../search/row-limits.ts';
import { tableOf } from '../search/scope.ts';
import { createSqlValues } from '../search/sql-values.ts';
import type { RestReads, RestTransaction } from '../store/contract.ts';
import { pastTableOf } from '../store/rows.ts';

/** Rows fetched at once: 500 of 2 kB are a megabyte. */
const rowsAtOnce = 500;
const matchesAtOnce = 500;

export interface ExportRow {
  id: string;
  /** JSON as served; of a deleted resource, as it was before. */
  content: string;
}

interface Window {
  since?: string;
  until?: string;
}

/** Current resources, by a server-side cursor. Call it inside the transaction of the snapshot. */
export function liveRows(tx: RestTransaction, type: ResourceType, window: Window): AsyncGenerator<ExportRow[]> {
  const select = `SELECT r.id, r.content FROM ${tableOf(type)} r WHERE r.tenant = $1 AND NOT r.deleted`;
  return fetched(tx, type, select, window);
}

/** Resources deleted since. */
export function deletedRows(tx: RestTransaction, type: ResourceType, window: Window): AsyncGenerator<ExportRow[]> {
  const before = `(SELECT p.content FROM ${pastTableOf(type)} p WHERE p.tenant = r.tenant AND p.id = r.id AND p.version = r.version - 1)`;
  const select = `SELECT r.id, coalesce(${before}, '') AS content FROM ${tableOf(type)} r WHERE r.tenant = $1 AND r.deleted`;
  return fetched(tx, type, select, window);
}

/** What the transaction's context sees, and no hidden element of it. */
async function* fetched(
  { seen, context, shown }: RestTransaction,
  type: ResourceType,
  select: string,
  { since, until }: Window,
): AsyncGenerator<ExportRow[]> {
  const { sql } = seen;
  const values = createSqlValues(context.tenant);
  const conditions = [
    ...(since ? [`r.updated > ${values.add(since)}::timestamptz`] : []),
    ...(until ? [`r.updated <= ${values.add(until)}::timestamptz`] : []),
  ];
  const condition = [select, ...conditions, seenCondition(seen.rows, type, values) ?? 'true'].join(' AND ');
  await sql.query(`DECLARE bulk_export NO SCROLL CURSOR FOR ${condition}`, values.list);
  for (;;) {
    const { rows } = await sql.query<ExportRow>(`FETCH ${rowsAtOnce} FROM bulk_export`);
    if (rows.length > 0) yield rows.map(({ id, content }) => ({ id, content: shown(type, content) }));
    if (rows.length < rowsAtOnce) break;
  }
  await sql.query('CLOSE bulk_export');
}

/** Resources that match any of the queries, each once: the searches run side by side, in the order of ids. */
export async function* matchingRows(
  reads: RestReads,
  type: ResourceType,
  queries: readonly string[],
  { since, until }: Window,
): AsyncGenerator<ExportRow[]> {
  const window = [since ? `_lastUpdated=gt${since}` : '', until ? `_lastUpdated=le${until}` : ''].filter(Boolean);
  const heads = queries.map((query) => matchesOf(reads, type, [query, ...window].join('&')));
  let current = await Promise.all(heads.map((head) => head.next()));
  let rows: ExportRow[] = [];
  for (;;) {
    const waiting = current.flatMap(({ done, value }) => (done ? [] : [value]));
    const least = waiting.reduce<ExportRow | undefined>((a, b) => (a === undefined || b.id < a.id ? b : a), undefined);
    if (!least) break;
    rows.push(least);
    if (rows.length >= rowsAtOnce) {
      yield rows;
      rows = [];
    }
    const next: typeof current = [];
    for (const [index, head] of current.entries()) {
      next.push(!head.done && head.value.id === least.id ? await heads[index]!.next() : head);
    }
    current = next;
  }
  if (rows.length > 0) yield rows;
}

async function* matchesOf(reads: RestReads, type: ResourceType, query: string): AsyncGenerator<ExportRow, undefined> {
  let next: string | undefined = `${query}&_sort=_id&_count=${matchesAtOnce}`;
  while (next !== undefined) {
    const page = await reads.searchBundle(type, next);
    for (const { id, text } of page.matches) yield { id, content: text };
    next = page.next;
  }
  return undefined;
}
