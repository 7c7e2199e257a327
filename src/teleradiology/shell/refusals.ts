/** Refused transitions are recorded, although their transaction is rolled back (WF-1, design §5 rule 4). */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/index.ts';
import type { Context } from '../../fhir/index.ts';
import type { CaseEvent, Origin, Refusal } from '../case/index.ts';
import type { Log } from '../room.ts';

export interface Refusals {
  /** Records without making the caller wait: its transaction holds a connection, waiting for a second one could starve the pool. */
  record(context: Context, caseId: string, event: CaseEvent, state: Origin, refusal: Refusal): void;
  /** Resolves when everything recorded so far is stored. */
  settled(): Promise<void>;
}

export function createRefusals(database: Database, log: Log): Refusals {
  const pending = new Set<Promise<unknown>>();
  return {
    record({ tenant, actor, requestId, now }, caseId, event, state, { guard }) {
      const work = database
        .query(
          tenant,
          `INSERT INTO case_refusal (tenant, id, case_id, event, state, guard, actor, account, request_id, refused_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
          [tenant, randomUUID(), caseId, event, state, guard, actor.reference, actor.account, requestId, now()],
        )
        .catch((error: unknown) => log.error({ err: error, task: caseId, event, guard }, 'a refusal was not recorded'))
        .finally(() => pending.delete(work));
      pending.add(work);
    },
    async settled() {
      await Promise.all(pending);
    },
  };
}
