/** Table `worklist`: one row per open case (migrations/0172_worklist.sql), and the few index scans that a list is made of. */
import type { Sql } from '../../db/index.ts';
import type { OpenCase, Place } from './place.ts';
import { poolText } from './pool.ts';

/** A case's row, as far as a list shows it. */
export interface WorklistRow {
  caseId: string;
  urgencyClass: 0 | 1;
  pool: string;
  placeAt: Date;
  dueAt: Date;
  dueRuns: boolean;
  holder: string;
  ageMinutes: number;
  aiScore: number;
  aiMinutes: number;
}

/** What stays as it is while a case goes on, and costs reads to find. */
export interface RequestTraits {
  specialty: string;
  language: string;
  requestId: string;
  aiScore: number;
}

interface Row {
  case_id: string;
  urgency_class: 0 | 1;
  pool: string;
  place_at: Date;
  due_at: Date;
  due_runs: boolean;
  holder: string;
  age_minutes: number;
  ai_score: number;
  ai_minutes: number;
}

const columns = 'case_id, urgency_class, pool, place_at, due_at, due_runs, holder, age_minutes, ai_score, ai_minutes';

const fromRow = (row: Row): WorklistRow => ({
  caseId: row.case_id,
  urgencyClass: row.urgency_class,
  pool: row.pool,
  placeAt: row.place_at,
  dueAt: row.due_at,
  dueRuns: row.due_runs,
  holder: row.holder,
  ageMinutes: row.age_minutes,
  aiScore: row.ai_score,
  aiMinutes: row.ai_minutes,
});

/** Puts a case where it stands; a row that says the same already is not written again. */
export async function keepRow(sql: Sql, tenant: string, open: OpenCase, place: Place): Promise<void> {
  await sql.query({
    name: 'worklist-keep',
    text: `INSERT INTO worklist (tenant, case_id, urgency_class, pool, place_at, due_at, due_runs, establishment, specialty, language,
         holder, request_id, age_minutes, ai_score, ai_minutes)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
       ON CONFLICT (tenant, case_id) DO UPDATE
         SET urgency_class = excluded.urgency_class, pool = excluded.pool, place_at = excluded.place_at, due_at = excluded.due_at,
           due_runs = excluded.due_runs, establishment = excluded.establishment, specialty = excluded.specialty,
           language = excluded.language, holder = excluded.holder, request_id = excluded.request_id,
           age_minutes = excluded.age_minutes, ai_score = excluded.ai_score, ai_minutes = excluded.ai_minutes
         WHERE (worklist.urgency_class, worklist.pool, worklist.place_at, worklist.due_at, worklist.due_runs, worklist.specialty,
             worklist.language, worklist.holder, worklist.request_id, worklist.ai_score, worklist.ai_minutes)
           IS DISTINCT FROM (excluded.urgency_class, excluded.pool, excluded.place_at, excluded.due_at, excluded.due_runs,
             excluded.specialty, excluded.language, excluded.holder, excluded.request_id, excluded.ai_score, excluded.ai_minutes)`,
    values: [
      tenant,
      open.caseId,
      place.urgencyClass,
      poolText(open),
      place.placeAt,
      place.dueAt,
      place.dueRuns,
      open.establishment,
      open.specialty,
      open.language,
      open.holder ?? '',
      open.requestId ?? '',
      place.ageMinutes,
      open.aiScore,
      place.aiMinutes,
    ],
  });
}

/** Takes a case off every list. */
export async function dropRow(sql: Sql, tenant: string, caseId: string): Promise<void> {
  await sql.query({
    name: 'worklist-drop',
    text: 'DELETE FROM worklist WHERE tenant = $1 AND case_id = $2',
    values: [tenant, caseId],
  });
}

export async function traitsOf(sql: Sql, tenant: string, caseId: string): Promise<RequestTraits | undefined> {
  const { rows } = await sql.query<{ specialty: string; language: string; request_id: string; ai_score: number }>({
    name: 'worklist-traits',
    text: 'SELECT specialty, language, request_id, ai_score FROM worklist WHERE tenant = $1 AND case_id = $2',
    values: [tenant, caseId],
  });
  return (
    rows[0] && {
      specialty: rows[0].specialty,
      language: rows[0].language,
      requestId: rows[0].request_id,
      aiScore: rows[0].ai_score,
    }
  );
}

/** Open cases about a request. */
export async function casesOfRequest(sql: Sql, tenant: string, requestId: string): Promise<string[]> {
  const { rows } = await sql.query<{ case_id: string }>(
    'SELECT case_id FROM worklist WHERE tenant = $1 AND request_id = $2',
    [tenant, requestId],
  );
  return rows.map((row) => row.case_id);
}

/** What an AI score is worth at an establishment changed: its rows follow at once. @param weightMinutes 0: switched off. */
export async function weighAi(sql: Sql, tenant: string, establishment: string, weightMinutes: number): Promise<void> {
  await sql.query(
    `UPDATE worklist
     SET ai_minutes = round(ai_score * $3 / 100.0), place_at = place_at + (ai_minutes - round(ai_score * $3 / 100.0)) * interval '1 minute'
     WHERE tenant = $1 AND establishment = $2 AND ai_score > 0 AND urgency_class > 0`,
    [tenant, establishment, weightMinutes],
  );
}

/**
 * Pools that have cases of a class of urgency, by hopping over the index from one to the next: as many probes as there are pools. A
 * plain DISTINCT reads every row.
 */
export async function poolsOf(sql: Sql, tenant: string, urgencyClass: 0 | 1): Promise<string[]> {
  const { rows } = await sql.query<{ pool: string }>({
    name: 'worklist-pools',
    text: `WITH RECURSIVE hop AS (
         (SELECT pool FROM worklist WHERE tenant = $1 AND urgency_class = $2 ORDER BY pool LIMIT 1)
         UNION ALL
         SELECT (SELECT w.pool FROM worklist w WHERE w.tenant = $1 AND w.urgency_class = $2 AND w.pool > hop.pool ORDER BY w.pool LIMIT 1)
         FROM hop WHERE hop.pool IS NOT NULL)
       SELECT pool FROM hop WHERE pool IS NOT NULL`,
    values: [tenant, urgencyClass],
  });
  return rows.map((row) => row.pool);
}

/** Where to go on in a pool: beyond this place, or at it too. */
export interface PoolPosition {
  pool: string;
  at: Date | undefined;
  caseId: string;
  /** The very place counts, too: another tenant's case of this id stood there. */
  inclusive: boolean;
}

/** The next rows of some pools, without those somebody holds. @returns in the order of the positions. */
export async function readPools(
  sql: Sql,
  tenant: string,
  urgencyClass: 0 | 1,
  positions: readonly PoolPosition[],
  count: number,
  withoutHolder: string,
): Promise<WorklistRow[][]> {
  const found = positions.map((): WorklistRow[] => []);
  if (positions.length === 0) return found;
  const { rows } = await sql.query<Row & { n: number }>({
    name: 'worklist-read',
    text: `SELECT p.n::integer AS n, w.*
       FROM unnest($3::text[], $4::timestamptz[], $5::text[], $6::boolean[]) WITH ORDINALITY AS p (pool, place_at, case_id, inclusive, n)
       CROSS JOIN LATERAL (
         SELECT ${columns} FROM worklist
         WHERE tenant = $1 AND urgency_class = $2 AND worklist.pool = p.pool
           AND (worklist.place_at, worklist.case_id) >= (p.place_at, p.case_id)
           AND (p.inclusive OR (worklist.place_at, worklist.case_id) > (p.place_at, p.case_id))
           AND holder <> $8
         ORDER BY worklist.place_at, worklist.case_id
         LIMIT $7) w`,
    values: [
      tenant,
      urgencyClass,
      positions.map(({ pool }) => pool),
      positions.map(({ at }) => at ?? '-infinity'),
      positions.map(({ caseId }) => caseId),
      positions.map(({ inclusive }) => inclusive),
      count,
      withoutHolder,
    ],
  });
  for (const row of rows) found[row.n - 1]?.push(fromRow(row));
  return found;
}

/** More cases than this are nobody's to hold. */
const heldAtMost = 500;

/** The cases somebody holds, the first ones by their place. */
export async function readHeld(sql: Sql, tenant: string, holder: string): Promise<WorklistRow[]> {
  const { rows } = await sql.query<Row>({
    name: 'worklist-held',
    text: `SELECT ${columns} FROM worklist WHERE tenant = $1 AND holder = $2 AND holder <> ''
       ORDER BY urgency_class, place_at, case_id LIMIT ${heldAtMost}`,
    values: [tenant, holder],
  });
  return rows.map(fromRow);
}

/** Rows of named cases. */
export async function readNamed(sql: Sql, tenant: string, caseIds: readonly string[]): Promise<WorklistRow[]> {
  if (caseIds.length === 0) return [];
  const { rows } = await sql.query<Row>({
    name: 'worklist-named',
    text: `SELECT ${columns} FROM worklist WHERE tenant = $1 AND case_id = ANY ($2)`,
    values: [tenant, caseIds],
  });
  return rows.map(fromRow);
}

/** The rules the rows of a tenant were made by; undefined before they were made. */
export async function rulesOf(sql: Sql, tenant: string): Promise<string | undefined> {
  const { rows } = await sql.query<{ rules: string }>({
    name: 'worklist-rules',
    text: 'SELECT rules FROM worklist_made WHERE tenant = $1',
    values: [tenant],
  });
  return rows[0]?.rules;
}

export async function keepRules(sql: Sql, tenant: string, rules: string): Promise<void> {
  await sql.query(
    'INSERT INTO worklist_made (tenant, rules) VALUES ($1, $2) ON CONFLICT (tenant) DO UPDATE SET rules = excluded.rules',
    [tenant, rules],
  );
}
