/** Instances refused or set apart are told the trail before their answer leaves: once an association, study and reason, not by thousands. */
import type { Access } from '../../access/index.ts';
import type { Context } from '../../fhir/index.ts';
import { notTaken, type StoredInstance } from '../../imaging/index.ts';
import { errorKind, type Log } from './log.ts';

export type TellNotTaken = (caller: Context, stored: StoredInstance) => Promise<void>;

/** Of one association; how many were refused in all is told at its end. */
const toldAtMost = 100;

export function createTellNotTaken(
  sender: string,
  { access, log }: { access: Pick<Access, 'recordActivity'>; log: Log },
): TellNotTaken {
  const told = new Set<string>();
  return async (caller, stored) => {
    for (const { reason, details } of notTaken([stored])) {
      const key = `${reason} ${details.study ?? ''}`;
      if (told.has(key) || told.size >= toldAtMost) continue;
      told.add(key);
      const { study } = details;
      try {
        await access.recordActivity(caller, {
          ...{ kind: 'instances-refused', outcome: 'failed', reason },
          details: { sender, ...(study === undefined ? {} : { study }) },
        });
      } catch (error) {
        // It stays what it is: the sender must not take it for stored.
        told.delete(key);
        log.error({ error: errorKind(error), requestId: caller.requestId }, 'a refused instance is not in the trail');
      }
    }
  };
}
