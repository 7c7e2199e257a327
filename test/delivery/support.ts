import type { Clock } from '../../src/config/index.ts';
import type { Database } from '../../src/db/index.ts';
import { createDelivery, type DeliveryItem, type DeliveryResult, type DeliveryRoom } from '../../src/delivery/index.ts';
import { type FhirStore, type FhirTransaction, systemContext } from '../../src/fhir/index.ts';

/** A clock that moves when told. */
export function fakeClock(start = '2026-03-01T08:00:00Z'): Clock & { advance(ms: number): void } {
  let now = new Date(start).getTime();
  return {
    now: () => new Date(now),
    advance: (ms) => {
      now += ms;
    },
  };
}

/** The part of the FHIR store that the delivery room uses, on the real database. */
export function transactionsOnly(database: Database): FhirStore {
  const store: Pick<FhirStore, 'transaction'> = {
    async transaction(context, work) {
      const after: (() => void | Promise<void>)[] = [];
      const result = await database.transaction(context.tenant, (sql) =>
        work({
          context,
          sql,
          changes: [],
          afterCommit: (task: () => void) => after.push(task),
        } as unknown as FhirTransaction),
      );
      for (const task of after) await task();
      return result;
    },
  };
  return store as FhirStore;
}

/** A hospital that answers as told and remembers what it took. */
export function flakyDestination(
  prefix: string,
  answer: (item: DeliveryItem) => Promise<DeliveryResult> | DeliveryResult,
) {
  const tried: DeliveryItem[] = [];
  const taken: string[] = [];
  let sending = 0;
  let mostAtOnce = 0;
  return {
    prefix,
    tried,
    /** Ids taken in charge, repetitions of the same id dropped, as a receiver does. */
    taken,
    mostAtOnce: () => mostAtOnce,
    async deliver(item: DeliveryItem): Promise<DeliveryResult> {
      tried.push(item);
      sending += 1;
      mostAtOnce = Math.max(mostAtOnce, sending);
      try {
        const result = await answer(item);
        if (result.status === 'delivered' && !taken.includes(item.id)) taken.push(item.id);
        return result;
      } finally {
        sending -= 1;
      }
    },
  };
}

export function startDelivery(delivery: DeliveryRoom, clock: Clock): Promise<void> {
  return delivery.start((tenant, interaction) => systemContext(tenant, interaction, clock));
}

/** A delivery room whose work is done only when the test says so. */
export function manualDelivery(database: Database, clock: Clock, random: () => number = () => 0): DeliveryRoom {
  return createDelivery({ database, store: transactionsOnly(database), clock, sweepEveryMs: 0, random });
}

export async function queue(
  delivery: DeliveryRoom,
  database: Database,
  clock: Clock,
  item: { destination: string; kind?: string; focus?: string; tenant?: string },
): Promise<string> {
  const context = systemContext(item.tenant ?? 'aa', 'test', clock);
  return transactionsOnly(database).transaction(context, (tx) =>
    delivery.enqueue(tx, {
      destination: item.destination,
      kind: item.kind ?? 'report-mdm',
      focus: item.focus ?? 'Task/1',
    }),
  );
}
