/** Raises one due time in a transaction of its own, and tells how that went. */
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type FhirStore, type FhirTransaction, systemContext } from '../../fhir/index.ts';
import { studyLock } from '../../imaging/contract.ts';
import type { Log } from '../room.ts';
import { type DueTime, markFired, putOff, takeDueTime } from './due-time.ts';

/** Raises one; a new due time it returns or sets itself replaces this one. */
export type RaiseDue = (due: DueTime, tx: FhirTransaction) => Promise<void>;

export interface RaiseParts {
  room: { database: Database; store: FhirStore; clock: Clock; log: Log };
  raise: RaiseDue;
}

/**
 * `locked`: somebody works on the case, nothing was raised and nothing put off.
 * `nothing`: it was raised, moved or forgotten by another, or could not be raised and is put off.
 */
export type Raised = 'raised' | 'nothing' | 'locked';

/** SQLSTATE of what others caused: serialization failure, deadlock, a lock held too long. */
const contentionStates: readonly unknown[] = ['40001', '40P01', '55P03'];

/** @param patience how long a lock is waited for, 15 s when absent. */
export async function raiseOne(
  { room: { database, store, clock, log }, raise }: RaiseParts,
  tenant: string,
  due: DueTime,
  patience: { patienceMs?: number },
): Promise<Raised> {
  try {
    return await store.transaction(systemContext(tenant, `system:${due.kind}`, clock), async (tx) => {
      // The case first, as every other writer does: the row alone first would be a deadlock with them.
      if (due.kind === 'images-quiet' || due.kind === 'unattached') await tx.lock(studyLock(due.key), patience);
      if (due.caseId !== '') await tx.lock(`case:${due.caseId}`, patience);
      const taken = await takeDueTime(tx.sql, tenant, due, clock.now());
      if (taken === undefined) return 'nothing';
      await markFired(tx.sql, tenant, taken, clock.now());
      await raise(taken, tx);
      return 'raised';
    });
  } catch (error) {
    // Nothing is wrong with it, and it may not be put off: it is late already.
    if (contentionStates.includes((error as { code?: unknown } | null)?.code)) return 'locked';
    log.error({ err: error, tenant, task: due.caseId, kind: due.kind }, 'a due time could not be raised');
    await database.transaction(tenant, (sql) => putOff(sql, tenant, due, clock.now()));
    return 'nothing';
  }
}
