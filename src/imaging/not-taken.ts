/** What became otherwise of images than their sender meant, for the audit trail: by study and reason, never a value that is a patient's. */
import type { StoredInstance } from './contract.ts';

/** One event of the trail. */
export interface NotTaken {
  /** Failure or Warning Reason (PS3.4 Annex B, PS3.18 §10.5) as four hexadecimal digits. */
  reason: string;
  details: Record<string, string>;
}

/** "Data Set does not match": stored, but apart. */
const setApart = 0xb007;
/** Of one request; of the studies beyond, their number of instances is said. */
const eventsAtMost = 50;

/** Instances refused or set apart; empty when there are none. */
export function notTaken(stored: readonly StoredInstance[]): NotTaken[] {
  const named = stored.flatMap((instance) => {
    if (instance.status === 'failed') return { study: instance.studyUid, reason: instance.failureReason };
    return instance.setApart === undefined ? [] : { study: instance.studyUid, reason: setApart };
  });
  const groups = [...Map.groupBy(named, ({ study = '', reason }) => `${study} ${reason}`).values()];
  const told = groups.slice(0, eventsAtMost).map((group) => {
    const { study, reason } = group[0]!;
    return {
      reason: reason.toString(16).toUpperCase().padStart(4, '0'),
      details: {
        ...(study === undefined ? {} : { study }),
        [reason === setApart ? 'apart' : 'refused']: String(group.length),
      },
    };
  });
  const others = groups.slice(eventsAtMost).reduce((sum, group) => sum + group.length, 0);
  return others === 0 ? told : [...told, { reason: 'others', details: { instances: String(others) } }];
}
