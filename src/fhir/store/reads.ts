/** Reads of stored versions: read, vread and history (https://hl7.org/fhir/R4/http.html#read, #vread, #history). */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { FhirError } from '../contract.ts';
import { invalid } from '../search/refusals.ts';
import { type SeenRows, seenCondition } from '../search/row-limits.ts';
import { type SearchParts, tableOf } from '../search/scope.ts';
import { hasCriteria, searchIds, searchPage, searchSystemPage } from '../search/search.ts';
import { isSqlTimestamp } from '../search/sql-texts.ts';
import { createSqlValues, type SqlValues } from '../search/sql-values.ts';
import { usedTypesStatement } from '../search/used-types.ts';
import type { HistoryOptions, HistoryPage, HistoryScope, RestReads, SearchPage, StoredVersion } from './contract.ts';
import { isGivenHere } from './new-id.ts';
import { type CurrentRow, pastTableOf, storedVersion } from './rows.ts';
import { type StoreSight, wholeSight } from './sight.ts';

const defaultHistoryCount = 50;
const historyCountLimit = 1000;

/** Where reads look, and for whom. */
export interface ReadScope {
  tenant: string;
  /** A connection (or a pool) in the scope of the tenant and of the rows seen. */
  sql: Sql;
  now(): Date;
  /** Everything, when absent. */
  sight?: StoreSight;
  /** How a current version is read, where there is a better way than a statement of its own. */
  current?(type: ResourceType, id: string): Promise<StoredVersion | undefined>;
}

export function createReads(
  parts: SearchParts,
  { tenant, sql, now, sight = wholeSight, current }: ReadScope,
): RestReads {
  const { rows: seen, show } = sight;
  const readOne = current ?? ((type: ResourceType, id: string) => readCurrent(sql, tenant, type, id, seen));
  const known = (type: string) => {
    if (!parts.registry.types.has(type))
      throw new FhirError(404, 'not-supported', `Resource type ${type.slice(0, 64)} is not supported`);
  };
  const scope = () => ({ sql, tenant, nowMs: now().getTime(), rows: seen });
  const shown = (page: SearchPage): SearchPage => ({
    ...page,
    matches: page.matches.map(show),
    included: page.included.map(show),
  });
  return {
    async readStored(type, id) {
      known(type);
      const version = isId(id) ? await readOne(type, id) : undefined;
      return version && show(version);
    },
    async readVersion(type, id, version) {
      known(type);
      if (!isId(id) || !Number.isInteger(version) || version < 1 || version > 2_147_483_647) return undefined;
      const values = createSqlValues(tenant, id, version);
      const [current, past] = seenVersions(seen, type, values);
      const { rows } = await sql.query<CurrentRow>(
        `SELECT id, version, updated, deleted, content FROM ${tableOf(type)} v WHERE tenant = $1 AND id = $2 AND version = $3${current}
         UNION ALL
         SELECT id, version, updated, deleted, content FROM ${pastTableOf(type)} v WHERE tenant = $1 AND id = $2 AND version = $3${past}`,
        values.list,
      );
      return rows[0] && show(storedVersion(type, rows[0]));
    },
    async history(historyScope, options = {}) {
      if (historyScope.type) known(historyScope.type);
      if (historyScope.id !== undefined && !isId(historyScope.id)) return { entries: [], total: 0 };
      const page = await readHistory(parts, { tenant, sql, seen }, historyScope, options);
      return { ...page, entries: page.entries.map(show) };
    },
    searchBundle: async (type, query, options) => shown(await searchPage(parts, scope(), type, query, options)),
    searchSystem: async (types, query, options) => shown(await searchSystemPage(parts, scope(), types, query, options)),
    matchIds(type, criteria) {
      if (!hasCriteria(parts, type, criteria)) {
        throw new FhirError(412, 'required', 'Conditional interactions need at least one search parameter as criteria');
      }
      return searchIds(parts, scope(), type, criteria, 2);
    },
  };
}

/** Anything else was never stored, and may hold what PostgreSQL cannot read. */
function isId(id: string): boolean {
  return /^[A-Za-z0-9.-]{1,64}$/.test(id);
}

/** The current version, a deleted one included. */
async function readCurrent(
  sql: Sql,
  tenant: string,
  type: ResourceType,
  id: string,
  seen: SeenRows | undefined,
): Promise<StoredVersion | undefined> {
  const values = createSqlValues(tenant, id);
  const condition = seenAnd(seen, type, values);
  const { rows } = await sql.query<CurrentRow>({
    name: `fhir_read_one_${type}${condition === '' ? '' : '_seen'}`,
    text: `SELECT id, version, updated, deleted, content FROM ${tableOf(type)} r WHERE tenant = $1 AND id = $2${condition}`,
    values: values.list,
  });
  return rows[0] && storedVersion(type, rows[0]);
}

/**
 * Condition that a row found by its id is seen, as the end of a WHERE; empty when every one is. As a CASE the planner leaves it alone:
 * else it weighs the index of the keys against the primary key each time, with statistics of thousands of keys to read.
 */
export function seenAnd(seen: SeenRows | undefined, type: string, values: SqlValues, alias = 'r'): string {
  const condition = seenCondition(seen, type, values, alias);
  return condition === undefined ? '' : ` AND CASE WHEN ${condition} THEN true ELSE false END`;
}

/** The same for versions `v`, current ones and past ones: a past version is seen with the current one. */
function seenVersions(seen: SeenRows | undefined, type: string, values: SqlValues): [current: string, past: string] {
  const current = seenAnd(seen, type, values, 'v');
  if (current === '') return ['', ''];
  const whole = `SELECT FROM ${tableOf(type)} c WHERE c.tenant = $1 AND c.id = v.id${current.replace(' v.', ' c.')}`;
  return [current, ` AND EXISTS (${whole})`];
}

/** The current row, which others may read and lock so but not change until the end of the transaction; a deleted one too. */
export async function shareRow(sql: Sql, tenant: string, type: string, id: string): Promise<CurrentRow | undefined> {
  const { rows } = await sql.query<CurrentRow>({
    name: `fhir_share_${type}`,
    text: `SELECT id, version, updated, deleted, content FROM ${tableOf(type)} WHERE tenant = $1 AND id = $2 FOR SHARE`,
    values: [tenant, id],
  });
  return rows[0];
}

interface HistoryCursor {
  updated: string;
  type: string;
  id: string;
  version: number;
}

type HistoryRow = CurrentRow & { type: ResourceType; at: string };

interface HistoryReads {
  tenant: string;
  sql: Sql;
  seen: SeenRows | undefined;
}

async function readHistory(
  parts: SearchParts,
  reads: HistoryReads,
  scope: HistoryScope,
  options: HistoryOptions,
): Promise<HistoryPage> {
  const count = Math.min(Math.max(Math.trunc(options.count ?? defaultHistoryCount), 1), historyCountLimit);
  const after = options.cursor === undefined ? undefined : decodeCursor(options.cursor);
  const [compared, order] = options.ascending ? (['>', 'ASC'] as const) : (['<', 'DESC'] as const);
  const { tenant, sql, seen } = reads;
  const values = createSqlValues(tenant);
  const conditions = ['v.tenant = $1'];
  if (scope.id !== undefined) conditions.push(`v.id = ${values.add(scope.id)}`);
  if (options.since) conditions.push(`v.updated >= ${values.add(options.since.toISOString())}::timestamptz`);
  if (options.at) conditions.push(`v.updated < ${values.add(options.at.to.toISOString())}::timestamptz`);
  // Narrows every arm by its index; the exact place among equals is found below.
  if (after) conditions.push(`v.updated ${compared}= ${values.add(after.updated)}::timestamptz`);
  const position = after
    ? `WHERE (updated, type, id, version) ${compared} (${values.add(after.updated)}::timestamptz, ${values.add(after.type)}, ${values.add(after.id)}, ${values.add(after.version)}::integer)`
    : '';
  const from = options.at && `${values.add(options.at.from.toISOString())}::timestamptz`;
  const types = scope.type ? [scope.type] : await usedTypes(parts, reads, scope.types);
  if (types.length === 0) return { entries: [] };
  const arms = types.flatMap((type) => {
    const [current, past] = seenVersions(seen, type, values);
    return [tableOf(type), pastTableOf(type)].map((table) => {
      const isSeen = table === tableOf(type) ? current : past;
      const ended = from && table !== tableOf(type) ? ` AND NOT ${endedBefore(type, from)}` : '';
      return `SELECT '${type}' COLLATE "C" AS type, v.id, v.version, v.updated, v.deleted, v.content
        FROM ${table} v WHERE ${conditions.join(' AND ')}${ended}${isSeen}`;
    });
  });
  const { rows } = await sql.query<HistoryRow>(
    `SELECT type, id, version, updated, deleted, content, updated::text AS at FROM (${arms.join(' UNION ALL ')}) versions
     ${position} ORDER BY updated ${order}, type ${order}, id ${order}, version ${order} LIMIT ${count + 1}`,
    values.list,
  );
  const page = rows.slice(0, count);
  const last = page.at(-1);
  const isWhole = scope.type && scope.id !== undefined && !options.since && !options.at;
  const total = isWhole ? await countVersions(sql, tenant, scope.type!, scope.id!) : undefined;
  return {
    entries: page.map((row) => ({ ...storedVersion(row.type, row), interaction: interactionOf(row) })),
    ...(total === undefined ? {} : { total }),
    ...(rows.length > count && last ? { next: encodeCursor(last) } : {}),
  };
}

/** Whether the version after `v`, past or current, was there already at the moment `from`: `v` was not current any more then. */
function endedBefore(type: string, from: string): string {
  const next = (table: string) =>
    `EXISTS (SELECT FROM ${table} n WHERE n.tenant = $1 AND n.id = v.id AND n.version = v.version + 1 AND n.updated <= ${from})`;
  return `(${next(tableOf(type))} OR ${next(pastTableOf(type))})`;
}

function interactionOf({ id, deleted, version, updated }: CurrentRow): HistoryPage['entries'][number]['interaction'] {
  if (deleted) return 'delete';
  if (version > 1) return 'update';
  return isGivenHere(id, updated) ? 'create' : 'put';
}

async function countVersions(sql: Sql, tenant: string, type: string, id: string): Promise<number> {
  const { rows } = await sql.query<{ count: string }>(
    `SELECT (SELECT count(*) FROM ${tableOf(type)} WHERE tenant = $1 AND id = $2)
          + (SELECT count(*) FROM ${pastTableOf(type)} WHERE tenant = $1 AND id = $2) AS count`,
    [tenant, id],
  );
  return Number(rows[0]!.count);
}

/** Types this tenant has anything of: the history of the whole system reads those tables only. */
async function usedTypes(
  parts: SearchParts,
  { tenant, sql, seen }: HistoryReads,
  wanted?: readonly ResourceType[],
): Promise<ResourceType[]> {
  const { rows } = await sql.query<{ type: ResourceType }>({
    ...(seen ? {} : { name: 'fhir_used_types' }),
    ...usedTypesStatement(parts.registry.types, tenant, seen),
  });
  const used = rows.map((row) => row.type);
  return wanted ? used.filter((type) => wanted.includes(type)) : used;
}

function encodeCursor({ at, type, id, version }: HistoryRow): string {
  return Buffer.from(JSON.stringify([at, type, id, version])).toString('base64url');
}

function decodeCursor(cursor: string): HistoryCursor {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && parsed.length === 4) {
      const [updated, type, id, version] = parsed;
      const valid =
        typeof updated === 'string' &&
        isSqlTimestamp(updated) &&
        typeof type === 'string' &&
        /^[A-Za-z]+$/.test(type) &&
        typeof id === 'string' &&
        /^[A-Za-z0-9.-]{1,64}$/.test(id) &&
        Number.isInteger(version) &&
        version > 0 &&
        version < 2_147_483_648;
      if (valid) return { updated, type, id, version };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw invalid('The page cursor does not belong to this history', '_cursor');
}
