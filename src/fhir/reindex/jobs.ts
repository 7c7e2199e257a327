/** SQL of fhir.reindex. */
import { randomUUID } from 'node:crypto';
import type { Sql } from '../../db/index.ts';

/** A job as whoever asked sees it. */
export interface ReindexJob {
  id: string;
  requested: Date;
  /** Still to do, the first under way. */
  types: string[];
  /** Resources looked at. */
  seen: number;
  finished?: Date;
}

/** A job as the worker sees it. */
export interface OpenJob {
  id: string;
  types: string[];
  lastId: string;
  /** Parts of the index that are up to date once it is over, with their hashes. */
  makes: Readonly<Record<string, string>>;
}

interface Row {
  id: string;
  requested: Date;
  types: string[];
  last_id: string;
  seen: string;
  makes: Record<string, string>;
  finished: Date | null;
}

export async function insertReindexJob(
  sql: Sql,
  tenant: string,
  job: { now: Date; types: readonly string[]; makes: Readonly<Record<string, string>> },
): Promise<string> {
  const id = randomUUID();
  await sql.query('INSERT INTO fhir.reindex (tenant, id, requested, types, makes) VALUES ($1, $2, $3, $4, $5)', [
    tenant,
    id,
    job.now,
    job.types,
    JSON.stringify(job.makes),
  ]);
  return id;
}

export async function findReindexJob(sql: Sql, tenant: string, id: string): Promise<ReindexJob | undefined> {
  const { rows } = await sql.query<Row>(
    'SELECT id, requested, types, seen, finished FROM fhir.reindex WHERE tenant = $1 AND id = $2',
    [tenant, id],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { requested, types, seen, finished } = row;
  return { id, requested, types, seen: Number(seen), ...(finished ? { finished } : {}) };
}

/**
 * The oldest job that is not over, held until the end of the transaction; none when another node holds it. A young one waits: rows of
 * transactions that were open at its birth cannot be seen yet, and other nodes may index by what they knew before.
 * @param settleMs how long other nodes may go by what they knew.
 */
export async function takeReindexJob(sql: Sql, tenant: string, settleMs: number): Promise<OpenJob | undefined> {
  const { rows } = await sql.query<Row>(
    `SELECT id, types, last_id, makes FROM fhir.reindex WHERE tenant = $1 AND finished IS NULL
       AND born <= clock_timestamp() - make_interval(secs => $2)
       AND (born_in < pg_snapshot_xmin(pg_current_snapshot()) OR born < clock_timestamp() - interval '1 hour')
     ORDER BY requested, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [tenant, settleMs / 1000],
  );
  const [row] = rows;
  return row && { id: row.id, types: row.types, lastId: row.last_id, makes: row.makes };
}

/**
 * A search parameter changed: what was made of it before is worth nothing, and no job under way makes it complete, for rows were written
 * without it meanwhile.
 */
export async function forgetPart(sql: Sql, tenant: string, part: string): Promise<void> {
  await sql.query('DELETE FROM fhir.index_state WHERE tenant = $1 AND part = $2', [tenant, part]);
  await sql.query(
    'UPDATE fhir.reindex SET makes = makes - $2::text WHERE tenant = $1 AND finished IS NULL AND makes ? $2',
    [tenant, part],
  );
}

/** Types that a reindex has not gone over yet. */
export async function typesUnderWay(sql: Sql, tenant: string): Promise<string[]> {
  const { rows } = await sql.query<{ type: string }>({
    name: 'fhir_reindex_types',
    text: 'SELECT DISTINCT unnest(types) AS type FROM fhir.reindex WHERE tenant = $1 AND finished IS NULL',
    values: [tenant],
  });
  return rows.map(({ type }) => type);
}

export async function saveProgress(
  sql: Sql,
  tenant: string,
  job: Pick<OpenJob, 'id' | 'types' | 'lastId'>,
  seen: number,
): Promise<void> {
  await sql.query('UPDATE fhir.reindex SET types = $3, last_id = $4, seen = seen + $5 WHERE tenant = $1 AND id = $2', [
    tenant,
    job.id,
    job.types,
    job.lastId,
    seen,
  ]);
}

export async function finishReindexJob(sql: Sql, tenant: string, id: string, now: Date): Promise<void> {
  await sql.query('UPDATE fhir.reindex SET finished = $3 WHERE tenant = $1 AND id = $2', [tenant, id, now]);
}

/**
 * Of parameters of one name the first by id is used (own-parameters.ts): while there is one before them, rows are written with its values in
 * the place of theirs, and when it goes they are worth nothing either.
 * @param changed as it was and as it is, as far as it is active.
 */
export async function forgetDisplaced(
  sql: Sql,
  tenant: string,
  id: string,
  changed: readonly { code: string; base: readonly string[] }[],
): Promise<void> {
  for (const { code, base } of changed) {
    const { rows } = await sql.query<{ id: string; base: string[] }>(
      `SELECT id, content::json -> 'base' AS base FROM fhir.searchparameter
       WHERE tenant = $1 AND id > $2 AND NOT deleted AND content::json ->> 'code' = $3`,
      [tenant, id, code],
    );
    for (const other of rows)
      if (other.base.some((type) => base.includes(type))) await forgetPart(sql, tenant, other.id);
  }
}
