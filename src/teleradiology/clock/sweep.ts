/** Raises what fell due: at start for the time the server was down, then every second. Safe on any number of servers. */
import { type Clock, createLoop } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type FhirStore, type FhirTransaction, systemContext } from '../../fhir/index.ts';
import { studyLock } from '../../imaging/contract.ts';
import type { Log } from '../room.ts';
import { type DueTime, dueNow, markFired, putOff, takeDueTime } from './due-time.ts';

export interface Sweep {
  /** Raises everything due now, in every tenant; resolves when done. @returns how many were raised. */
  sweep(): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Raises one; a new due time it returns or sets itself replaces this one. */
export type RaiseDue = (due: DueTime, tx: FhirTransaction) => Promise<void>;

const sweepEveryMs = 1000;
/** Due times looked at per query: bounds memory after a long stop. */
const batch = 200;

export function createSweep(
  room: { database: Database; store: FhirStore; clock: Clock; log: Log },
  raise: RaiseDue,
): Sweep {
  const { database, store, clock, log } = room;

  async function raiseOne(tenant: string, due: DueTime): Promise<boolean> {
    try {
      return await store.transaction(systemContext(tenant, `system:${due.kind}`, clock), async (tx) => {
        // The case first, as every other writer does: the row alone first would be a deadlock with them.
        if (due.kind === 'images-quiet' || due.kind === 'unattached') await tx.lock(studyLock(due.key));
        if (due.caseId !== '') await tx.lock(`case:${due.caseId}`);
        const taken = await takeDueTime(tx.sql, tenant, due, clock.now());
        if (taken === undefined) return false;
        await markFired(tx.sql, tenant, taken, clock.now());
        await raise(taken, tx);
        return true;
      });
    } catch (error) {
      log.error({ err: error, tenant, task: due.caseId, kind: due.kind }, 'a due time could not be raised');
      await database.transaction(tenant, (sql) => putOff(sql, tenant, due, clock.now()));
      return false;
    }
  }

  async function sweepTenant(tenant: string): Promise<number> {
    let raised = 0;
    for (;;) {
      const now = clock.now();
      // One statement without a transaction: asked every second of every tenant, mostly for nothing.
      const found = await dueNow(database, tenant, now, batch);
      let here = 0;
      for (const due of found) if (await raiseOne(tenant, due)) here++;
      raised += here;
      // A full batch of which nothing was raised is in another server's hands.
      if (found.length < batch || here === 0) return raised;
    }
  }

  async function sweep(): Promise<number> {
    let raised = 0;
    for (const tenant of await database.tenants()) raised += await sweepTenant(tenant);
    return raised;
  }

  const loop = createLoop({
    everyMs: sweepEveryMs,
    round: sweep,
    onFailure: (error) => log.error({ err: error }, 'the sweep of due times failed'),
  });

  return {
    sweep,
    async start() {
      await sweep().catch((error: unknown) => log.error({ err: error }, 'the sweep of due times failed'));
      loop.start();
    },
    stop: loop.stop,
  };
}
