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
  makes: string;
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

/** The oldest job that is not over, held until the end of the transaction; none when another node holds it. */
export async function takeReindexJob(sql: Sql, tenant: string): Promise<OpenJob | undefined> {
  const { rows } = await sql.query<Row>(
    `SELECT id, types, last_id, makes FROM fhir.reindex WHERE tenant = $1 AND finished IS NULL
     ORDER BY requested, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    [tenant],
  );
  const [row] = rows;
  return row && { id: row.id, types: row.types, lastId: row.last_id, makes: JSON.parse(row.makes) };
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
