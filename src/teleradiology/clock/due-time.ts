/** Durable due times (design §5 rule 3): rows written in the transaction of the fact that starts them. */
import type { Database, Sql } from '../../db/index.ts';

/** What falls due. */
export type DueKind =
  /** Steps of a running clock of a case; `key` is its name (running-clock.ts). */
  | 'clock'
  /** Images of a study stopped arriving. */
  | 'images-quiet'
  /** A study that found no case. */
  | 'unattached'
  /** An answer or a report that the establishment has not acknowledged. */
  | 'undelivered'
  /** A critical result that nobody has said back; `key` is its child Task. */
  | 'alert'
  /** An identity problem without a decision; `key` is the DetectedIssue. */
  | 'identity-issue'
  /** A certificate of a reader that ends; `caseId` is the `Practitioner/[id]`. */
  | 'qualification'
  /** A second look at what an excluded reader holds; `caseId` is the `PractitionerRole/[id]`. */
  | 'exclusion'
  /** Hours ahead that nobody covers; `caseId` is the `Organization/[id]`. */
  | 'duty-gap'
  /** A month whose rota should be out; `caseId` is the `Organization/[id]`, `key` the month. */
  | 'rota-late';

export interface DueTime {
  /** Id of the case's Task; empty for images without a case. */
  caseId: string;
  kind: DueKind;
  /** Study Instance UID for the kinds about images, the child Task for deliveries, the DetectedIssue for problems, else empty. */
  key: string;
  dueAt: Date;
}

/** Adds a due time, or moves one that has not been raised yet; one that was raised stays as it is unless `again`. */
export async function setDueTime(sql: Sql, tenant: string, due: DueTime, again = false): Promise<void> {
  await sql.query(
    `INSERT INTO due_time (tenant, case_id, kind, key, due_at, next_at)
     VALUES ($1, $2, $3, $4, $5, $5)
     ON CONFLICT (tenant, case_id, kind, key) DO UPDATE
       SET due_at = excluded.due_at, next_at = excluded.next_at, failures = 0, fired_at = NULL
       WHERE due_time.fired_at IS NULL OR $6`,
    [tenant, due.caseId, due.kind, due.key, due.dueAt, again],
  );
}

/** Forgets what has not been raised of a case that ended; its clocks stop by themselves, what was queued for the site is owed
 * to it, and a critical result is told until it is heard. */
export async function cancelDueTimes(sql: Sql, tenant: string, caseId: string): Promise<void> {
  await sql.query(
    `DELETE FROM due_time
     WHERE tenant = $1 AND case_id = $2 AND fired_at IS NULL AND kind NOT IN ('clock', 'undelivered', 'alert')`,
    [tenant, caseId],
  );
}

/** Forgets that images without a case are waited for. */
export async function cancelUnattached(sql: Sql, tenant: string, studyUid: string): Promise<void> {
  await sql.query(
    `DELETE FROM due_time WHERE tenant = $1 AND case_id = '' AND kind = 'unattached' AND key = $2 AND fired_at IS NULL`,
    [tenant, studyUid],
  );
}

interface DueRow {
  case_id: string;
  kind: DueKind;
  key: string;
  due_at: Date;
}

const fromRow = (row: DueRow): DueTime => ({ caseId: row.case_id, kind: row.kind, key: row.key, dueAt: row.due_at });

/** Cases, and studies without a case, that are left out of a look. */
export interface LeftOut {
  cases: readonly string[];
  studies: readonly string[];
}

/** What is due, oldest first; nothing is locked. */
export async function dueNow(
  database: Pick<Database, 'query'>,
  tenant: string,
  now: Date,
  { limit, without }: { limit: number; without: LeftOut },
): Promise<DueTime[]> {
  const { rows } = await database.query<DueRow>(
    tenant,
    `SELECT case_id, kind, key, due_at FROM due_time
     WHERE tenant = $1 AND fired_at IS NULL AND next_at <= $2
       AND case_id <> ALL ($4::text[]) AND NOT (case_id = '' AND key = ANY ($5::text[]))
     ORDER BY next_at LIMIT $3`,
    [tenant, now, limit, without.cases, without.studies],
  );
  return rows.map(fromRow);
}

/**
 * Takes a due time for this transaction, if it is still to be raised: another server that looks at the same time skips it.
 * @returns what is to be raised now; undefined when it was raised, moved, forgotten, or is being raised elsewhere.
 */
export async function takeDueTime(sql: Sql, tenant: string, due: DueTime, now: Date): Promise<DueTime | undefined> {
  const { rows } = await sql.query<DueRow>(
    `SELECT case_id, kind, key, due_at FROM due_time
     WHERE tenant = $1 AND case_id = $2 AND kind = $3 AND key = $4 AND fired_at IS NULL AND next_at <= $5
     FOR UPDATE SKIP LOCKED`,
    [tenant, due.caseId, due.kind, due.key, now],
  );
  return rows[0] && fromRow(rows[0]);
}

/** Marks it raised. */
export async function markFired(sql: Sql, tenant: string, due: DueTime, now: Date): Promise<void> {
  await sql.query(`UPDATE due_time SET fired_at = $5 WHERE tenant = $1 AND case_id = $2 AND kind = $3 AND key = $4`, [
    tenant,
    due.caseId,
    due.kind,
    due.key,
    now,
  ]);
}

/** Puts off one that could not be raised, twice as long each time, an hour at most. */
export async function putOff(sql: Sql, tenant: string, due: DueTime, now: Date): Promise<void> {
  await sql.query(
    `UPDATE due_time
     SET failures = failures + 1, next_at = $5::timestamptz + least(interval '1 hour', interval '2 seconds' * power(2, least(failures, 11)))
     WHERE tenant = $1 AND case_id = $2 AND kind = $3 AND key = $4 AND fired_at IS NULL`,
    [tenant, due.caseId, due.kind, due.key, now],
  );
}
