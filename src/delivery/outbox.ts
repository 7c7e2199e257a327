/** The table `outbox`: every statement on it, and nothing else. */
import type { Sql } from '../db/index.ts';
import type { DeliveryItem } from './contract.ts';
import { presenceLockClass } from './presence.ts';
import { waitLeftMs } from './schedule.ts';

export type ItemState = 'queued' | 'sending' | 'held' | 'delivered' | 'failed' | 'dead';

/** A queued thing as an operator sees it. */
export interface OutboxItem extends DeliveryItem {
  state: ItemState;
  /** Since when it is tried: queueing, or the last replay. */
  triedSince: Date;
  nextAt: Date;
  finishedAt?: Date;
  lastError?: string;
  evidence?: string;
}

interface Row {
  tenant: string;
  id: string;
  destination: string;
  kind: string;
  focus: string;
  task: string | null;
  state: ItemState;
  attempts: number;
  queued_at: Date;
  tried_since: Date;
  next_at: Date;
  finished_at: Date | null;
  last_error: string | null;
  evidence: string | null;
}

const columns =
  'tenant, id, destination, kind, focus, task, state, attempts, queued_at, tried_since, next_at, finished_at, last_error, evidence';

function toItem(row: Row): OutboxItem {
  return {
    tenant: row.tenant,
    id: row.id,
    destination: row.destination,
    kind: row.kind,
    focus: row.focus,
    ...(row.task ? { task: row.task } : {}),
    state: row.state,
    attempts: row.attempts,
    queuedAt: row.queued_at,
    triedSince: row.tried_since,
    nextAt: row.next_at,
    ...(row.finished_at ? { finishedAt: row.finished_at } : {}),
    ...(row.last_error ? { lastError: row.last_error } : {}),
    ...(row.evidence ? { evidence: row.evidence } : {}),
  };
}

export async function insertItem(
  sql: Sql,
  item: { tenant: string; id: string; destination: string; kind: string; focus: string; task?: string; now: Date },
): Promise<void> {
  await sql.query({
    name: 'outbox-insert',
    text: `INSERT INTO outbox (tenant, id, destination, kind, focus, task, queued_at, tried_since, next_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $7)`,
    values: [item.tenant, item.id, item.destination, item.kind, item.focus, item.task ?? null, item.now],
  });
}

/** What a worker finds at the head of a destination. */
export type Claim =
  | { status: 'claimed'; item: OutboxItem }
  /** Nothing left. */
  | { status: 'empty' }
  /** The head waits for its due time, and everything behind it waits too. */
  | { status: 'waiting'; nextAt: Date }
  /** Another live worker is sending the head. */
  | { status: 'busy' };

/**
 * Takes the head of a destination for `sender`. The row is locked, so of two workers one claims and the other sees the claim; a
 * head whose sender's lock is gone belongs to nobody and is taken over with its id. So does one that `sender` itself left: a
 * worker asks for a head only when it sends nothing there, so that was an attempt whose outcome could not be recorded.
 */
export async function claimHead(
  sql: Sql,
  tenant: string,
  destination: string,
  sender: number,
  now: Date,
): Promise<Claim> {
  const { rows } = await sql.query<Row & { orphan: boolean }>({
    name: 'outbox-head',
    text: `SELECT ${columns},
                  state = 'sending' AND (sender = $4 OR NOT EXISTS (
                    SELECT FROM pg_locks
                    WHERE locktype = 'advisory' AND granted AND classid = $3::bigint::oid AND objid = outbox.sender::bigint::oid
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  )) AS orphan
           FROM outbox
           WHERE tenant = $1 AND destination = $2 AND state IN ('queued', 'sending')
           ORDER BY sequence
           LIMIT 1
           FOR UPDATE`,
    values: [tenant, destination, presenceLockClass, sender],
  });
  const head = rows[0];
  if (!head) return { status: 'empty' };
  if (head.state === 'sending' && !head.orphan) return { status: 'busy' };
  if (head.state === 'queued' && waitLeftMs(head.next_at, now) > 0) {
    return { status: 'waiting', nextAt: head.next_at };
  }
  await sql.query({
    name: 'outbox-claim',
    text: `UPDATE outbox SET state = 'sending', sender = $3, attempts = attempts + 1 WHERE tenant = $1 AND id = $2`,
    values: [tenant, head.id, sender],
  });
  return { status: 'claimed', item: { ...toItem(head), state: 'sending', attempts: head.attempts + 1 } };
}

/** What becomes of an item after an attempt. */
export interface Settlement {
  state: Exclude<ItemState, 'sending' | 'held'>;
  nextAt: Date;
  finishedAt?: Date;
  error?: string;
  evidence?: string;
  payload?: Buffer;
}

/**
 * Records the end of an attempt, unless the item was taken over meanwhile.
 * @returns false when this worker no longer holds the item: its result is not the one that counts.
 */
export async function settle(sql: Sql, item: OutboxItem, sender: number, settlement: Settlement): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: 'outbox-settle',
    text: `UPDATE outbox
           SET state = CASE WHEN state = 'held' AND $5 = 'queued' THEN 'held' ELSE $5 END, next_at = $6, finished_at = $7, last_error = $8, evidence = coalesce($9, evidence),
               payload = coalesce($10, payload), sender = NULL
           WHERE tenant = $1 AND id = $2 AND state IN ('sending', 'held') AND sender = $3 AND attempts = $4`,
    values: [
      item.tenant,
      item.id,
      sender,
      item.attempts,
      settlement.state,
      settlement.nextAt,
      settlement.finishedAt ?? null,
      settlement.error ?? null,
      settlement.evidence ?? null,
      settlement.payload ?? null,
    ],
  });
  return rowCount === 1;
}

/** One row per destination of the tenant that has something to do: its head. */
export async function heads(
  sql: Sql,
  tenant: string,
): Promise<{ destination: string; state: 'queued' | 'sending'; nextAt: Date }[]> {
  const { rows } = await sql.query<{ destination: string; state: 'queued' | 'sending'; next_at: Date }>({
    name: 'outbox-heads',
    text: `SELECT DISTINCT ON (destination) destination, state, next_at
           FROM outbox
           WHERE tenant = $1 AND state IN ('queued', 'sending')
           ORDER BY destination, sequence`,
    values: [tenant],
  });
  return rows.map((row) => ({ destination: row.destination, state: row.state, nextAt: row.next_at }));
}

/** Puts a dead letter back at its place in the order. @returns its destination, undefined when it is not a dead letter. */
export async function revive(sql: Sql, tenant: string, id: string, now: Date): Promise<string | undefined> {
  const { rows } = await sql.query<{ destination: string }>({
    text: `UPDATE outbox SET state = 'queued', tried_since = $3, next_at = $3, finished_at = NULL
           WHERE tenant = $1 AND id = $2 AND state IN ('failed', 'dead')
           RETURNING destination`,
    values: [tenant, id, now],
  });
  return rows[0]?.destination;
}

/** Kinds of items that are kept back: what goes into a patient's record. An answer to the request, or a notice, does not. */
const heldKinds = ['report-%', 'attachment-%'];

/** Keeps back what has not left about this resource; what is being sent at this instant is kept back when that fails (`settle`). */
export async function holdItems(sql: Sql, tenant: string, focus: string): Promise<void> {
  await sql.query(
    `UPDATE outbox SET state = 'held'
     WHERE tenant = $1 AND focus = $2 AND state IN ('queued', 'sending') AND kind LIKE ANY ($3)`,
    [tenant, focus, heldKinds],
  );
}

/** Lets it leave now. @returns the destinations concerned. */
export async function releaseItems(sql: Sql, tenant: string, focus: string, now: Date): Promise<string[]> {
  const { rows } = await sql.query<{ destination: string }>(
    `UPDATE outbox SET state = CASE WHEN sender IS NULL THEN 'queued' ELSE 'sending' END, tried_since = $3, next_at = $3
     WHERE tenant = $1 AND focus = $2 AND state = 'held'
     RETURNING destination`,
    [tenant, focus, now],
  );
  return [...new Set(rows.map(({ destination }) => destination))];
}

/** Items of these states, oldest first. */
export async function list(
  sql: Sql,
  tenant: string,
  states: readonly ItemState[],
  limit: number,
): Promise<OutboxItem[]> {
  const { rows } = await sql.query<Row>({
    text: `SELECT ${columns} FROM outbox WHERE tenant = $1 AND state = ANY ($2) ORDER BY sequence LIMIT $3`,
    values: [tenant, states, limit],
  });
  return rows.map(toItem);
}

/** What was sent, as kept with a finished item. */
export async function sentPayload(sql: Sql, tenant: string, id: string): Promise<Buffer | undefined> {
  const { rows } = await sql.query<{ payload: Buffer | null }>({
    text: 'SELECT payload FROM outbox WHERE tenant = $1 AND id = $2',
    values: [tenant, id],
  });
  return rows[0]?.payload ?? undefined;
}

/** Counts of what is not delivered, and the age of the oldest item still to be sent. */
export async function backlog(
  sql: Sql,
  tenant: string,
): Promise<{ queued: number; deadLetters: number; oldestQueuedAt: Date | undefined }> {
  const { rows } = await sql.query<{ queued: string; dead: string; oldest: Date | null }>({
    text: `SELECT count(*) FILTER (WHERE state IN ('queued', 'sending')) AS queued,
                  count(*) FILTER (WHERE state IN ('failed', 'dead')) AS dead,
                  min(queued_at) FILTER (WHERE state IN ('queued', 'sending')) AS oldest
           FROM outbox
           WHERE tenant = $1 AND (state IN ('queued', 'sending') OR state IN ('failed', 'dead'))`,
    values: [tenant],
  });
  const row = rows[0];
  return {
    queued: Number(row?.queued ?? 0),
    deadLetters: Number(row?.dead ?? 0),
    oldestQueuedAt: row?.oldest ?? undefined,
  };
}
