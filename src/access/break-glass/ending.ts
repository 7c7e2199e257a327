/** The end of each emergency access, told to the trail once its time is over. Access itself ends with the time, told or not. */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/index.ts';
import { type Context, systemContext } from '../../fhir/index.ts';
import type { Activity } from '../audit/activity.ts';
import { takeEnded } from './glass.ts';

export interface EndingRooms {
  database: Database;
  /** Clock of the platform: what the trail records. */
  clock: { now(): Date };
  /** The machine's time. */
  now(): Date;
  recordActivity(context: Context, activity: Activity): Promise<void>;
}

/** Says of every tenant which emergency accesses are over. */
export async function tellEnds({ database, clock, now, recordActivity }: EndingRooms): Promise<void> {
  for (const tenant of await database.tenants()) {
    const ended = await database.transaction(tenant, (sql) => takeEnded(sql, tenant, now()));
    for (const { account, reference, reason, until } of ended) {
      const context = {
        ...systemContext(tenant, 'system:break-glass', clock),
        requestId: randomUUID(),
        purpose: 'BTG',
      };
      await recordActivity(context, {
        kind: 'break-glass-stop',
        reason,
        objects: [reference],
        ...(reference.startsWith('Patient/') ? { patients: [reference] } : {}),
        details: { account, until: until.toISOString() },
      });
    }
  }
}
