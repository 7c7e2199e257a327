/**
 * A consistent view of a tenant: one transaction that sees the database as of one moment (REPEATABLE READ), and the instant before
 * which nothing is missing from it.
 *
 * A resource's `meta.lastUpdated` is taken before its commit. Were the present instant promised, a write under way would be older than
 * the promise and yet not in the view, and the next `_since` would never ask for it again. So an earlier instant is promised, and the
 * view is taken when every transaction that was open at that instant is over.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../db/index.ts';
import { type Context, FhirError } from '../contract.ts';
import type { RestStore, RestTransaction } from '../store/contract.ts';

/** How long a stamped resource may wait in memory for its transaction to begin (group commit, a large Bundle). */
const marginMs = 10_000;
/** How long transactions under way are waited for. */
const patienceMs = 120_000;
const pollMs = 50;

/** @param shows AuditEvents are made of the journal first: what is promised must be a row by then. */
export async function withSnapshot<T>(
  parts: { database: Database; store: RestStore },
  context: Context,
  shows: { auditEvents: boolean },
  work: (tx: RestTransaction, transactionTime: Date) => Promise<T>,
): Promise<T> {
  const { database, store } = parts;
  const transactionTime = new Date(context.now().getTime() - marginMs);
  await othersOver(database, context.tenant);
  if (shows.auditEvents) while (await store.projectSome(context.tenant));
  return store.restTransaction(context, async (tx) => {
    tx.keepPicture();
    await tx.sql.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    return work(tx, transactionTime);
  });
}

/**
 * Transactions that have written something in this database: who writes a row keeps this lock on its table to the end. Their ids in
 * `pg_current_snapshot` would not do: those are of every database of the server.
 */
const writers = `SELECT virtualtransaction AS writer FROM pg_locks
  WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Resolves when every transaction that is writing now has ended. @throws FhirError 503 when one goes on for too long. */
async function othersOver(database: Database, tenant: string): Promise<void> {
  const { rows } = await database.query<{ writer: string }>(tenant, writers);
  const open = rows.map(({ writer }) => writer);
  for (let waitedMs = 0; open.length > 0; waitedMs += pollMs) {
    const { rows: still } = await database.query(tenant, `${writers} AND virtualtransaction = ANY($1::text[])`, [open]);
    if (still.length === 0) return;
    if (waitedMs >= patienceMs)
      throw new FhirError(503, 'timeout', 'A transaction has been open for too long: ask again later');
    await delay(pollMs);
  }
}
