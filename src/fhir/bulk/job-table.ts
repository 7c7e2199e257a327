/** SQL of bulk_job. Leases run by the database's clock, expiry by the platform's. */
import { randomUUID } from 'node:crypto';
import type { OperationOutcome } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import type { Context } from '../contract.ts';
import type { ExportRequest, ExportResult, ImportRequest, ImportResult, Job } from './job.ts';

/** A node that does not renew for so long is taken for dead. */
export const leaseSeconds = 30;

interface Row {
  tenant: string;
  id: string;
  kind: 'export' | 'import';
  state: Job['state'];
  account: string;
  actor: Job['actor'];
  requested_at: Date;
  request: unknown;
  attempt: number;
  progress: string | null;
  position: string;
  lines: string;
  result: unknown;
  expires_at: Date | null;
}

const columns =
  'tenant, id, kind, state, account, actor, requested_at, request, attempt, progress, position, lines, result, expires_at';

function jobOf(row: Row): Job {
  const { tenant, id, kind, state, account, actor, attempt, request, result } = row;
  const failure = state === 'failed' ? { failure: result as OperationOutcome } : {};
  return {
    ...{ tenant, id, kind, state, account, actor, attempt, request, ...failure },
    requestedAt: row.requested_at,
    ...(row.progress === null ? {} : { progress: row.progress }),
    ...(result && state !== 'failed' ? { result } : {}),
    ...(row.expires_at ? { expiresAt: row.expires_at } : {}),
    ...(kind === 'import' ? { position: Number(row.position), lines: Number(row.lines) } : {}),
  } as Job;
}

/** @returns the id of the job, which is a secret of its own: 122 random bits. */
export async function insertJob(
  sql: Sql,
  { tenant, actor, now }: Context,
  job: { kind: 'export'; request: ExportRequest } | { kind: 'import'; request: ImportRequest; id: string },
): Promise<string> {
  const id = 'id' in job ? job.id : newJobId();
  await sql.query(
    `INSERT INTO bulk_job (tenant, id, kind, account, actor, requested_at, request) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [tenant, id, job.kind, actor.account, actor, now(), job.request],
  );
  return id;
}

export function newJobId(): string {
  return randomUUID();
}

export function isJobId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/** Jobs of the tenant that are not over. */
export async function countOpen(sql: Sql, tenant: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM bulk_job WHERE tenant = $1 AND state IN ('queued', 'running')`,
    [tenant],
  );
  return rows[0]!.count;
}

export async function findJob(sql: Sql, tenant: string, id: string): Promise<Job | undefined> {
  const { rows } = await sql.query<Row>(`SELECT ${columns} FROM bulk_job WHERE tenant = $1 AND id = $2`, [tenant, id]);
  return rows[0] && jobOf(rows[0]);
}

/** Takes the oldest job that waits, or whose node is dead, for one attempt more. */
export async function claimJob(sql: Sql, tenant: string): Promise<Job | undefined> {
  const { rows } = await sql.query<Row>(
    `UPDATE bulk_job SET state = 'running', attempt = attempt + 1, progress = NULL,
       lease_until = clock_timestamp() + make_interval(secs => $2)
     WHERE tenant = $1 AND id = (
       SELECT id FROM bulk_job WHERE tenant = $1 AND (state = 'queued' OR (state = 'running' AND lease_until < clock_timestamp()))
       ORDER BY requested_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING ${columns}`,
    [tenant, leaseSeconds],
  );
  return rows[0] && jobOf(rows[0]);
}

type Attempt = Pick<Job, 'tenant' | 'id' | 'attempt'>;

const ofAttempt = `tenant = $1 AND id = $2 AND attempt = $3 AND state = 'running'`;

/** False when the attempt is not the current one any more: cancelled, or taken over by another node. */
export async function renewLease(sql: Sql, job: Attempt, progress: string): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE bulk_job SET lease_until = clock_timestamp() + make_interval(secs => $4), progress = $5 WHERE ${ofAttempt}`,
    [job.tenant, job.id, job.attempt, leaseSeconds, progress.slice(0, 100)],
  );
  return rowCount === 1;
}

/** Ends an attempt. False when it was not the current one: its result counts for nothing. */
export async function finishJob(
  sql: Sql,
  job: Attempt,
  end: { state: 'done'; result: ExportResult | ImportResult } | { state: 'failed'; result: OperationOutcome },
  expiresAt: Date,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE bulk_job SET state = $4, result = $5, expires_at = $6, lease_until = NULL WHERE ${ofAttempt}`,
    [job.tenant, job.id, job.attempt, end.state, end.result, expiresAt],
  );
  return rowCount === 1;
}

/** Gives a job back that this node stops working on. */
export async function releaseJob(sql: Sql, job: Attempt): Promise<void> {
  await sql.query(
    `UPDATE bulk_job SET state = 'queued', attempt = attempt - 1, lease_until = NULL WHERE ${ofAttempt}`,
    [job.tenant, job.id, job.attempt],
  );
}

/** Gives a job back for another attempt. */
export async function requeueJob(sql: Sql, job: Attempt): Promise<void> {
  await sql.query(`UPDATE bulk_job SET state = 'queued', lease_until = NULL WHERE ${ofAttempt}`, [
    job.tenant,
    job.id,
    job.attempt,
  ]);
}

/** Says how far an import got, in the transaction that got it there. False as for `finishJob`. */
export async function moveImport(
  sql: Sql,
  job: Attempt,
  reached: { position: number; lines: number; result: ImportResult },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE bulk_job SET position = $4, lines = $5, result = $6 WHERE ${ofAttempt}`,
    [job.tenant, job.id, job.attempt, reached.position, reached.lines, reached.result],
  );
  return rowCount === 1;
}

/** Whoever works on it notices when it renews its lease; what it left is swept. */
export async function cancelJob(sql: Sql, tenant: string, id: string, now: Date): Promise<void> {
  await sql.query(`UPDATE bulk_job SET state = 'cancelled', expires_at = $3 WHERE tenant = $1 AND id = $2`, [
    tenant,
    id,
    now,
  ]);
}

export async function expiredJobs(sql: Sql, tenant: string, now: Date): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(`SELECT id FROM bulk_job WHERE tenant = $1 AND expires_at <= $2`, [
    tenant,
    now,
  ]);
  return rows.map(({ id }) => id);
}

export async function deleteJob(sql: Sql, tenant: string, id: string): Promise<void> {
  await sql.query('DELETE FROM bulk_job WHERE tenant = $1 AND id = $2', [tenant, id]);
}
