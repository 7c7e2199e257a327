import type { Clock } from '../../src/config/index.ts';
import type { Database } from '../../src/db/index.ts';
import { createDelivery, type DeliveryItem, type DeliveryResult, type DeliveryRoom } from '../../src/delivery/index.ts';
import { createFhirStore, type FhirStore, systemContext } from '../../src/fhir/index.ts';
import { testDatabase } from '../support/database.ts';

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

export interface Rig {
  database: Database;
  store: FhirStore;
}

/** The real store on a real database. */
export async function openRig(): Promise<Rig> {
  const database = await testDatabase();
  return { database, store: await createFhirStore({ database, checkReferences: false }) };
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
export function manualDelivery({ database, store }: Rig, clock: Clock): DeliveryRoom {
  return createDelivery({ database, store, clock, sweepEveryMs: 0, random: () => 0 });
}

export async function queue(
  delivery: DeliveryRoom,
  rig: Rig,
  clock: Clock,
  item: { destination: string; kind?: string; focus?: string; tenant?: string },
): Promise<string> {
  const context = systemContext(item.tenant ?? 'aa', 'test', clock);
  return rig.store.transaction(context, (tx) =>
    delivery.enqueue(tx, {
      destination: item.destination,
      kind: item.kind ?? 'report-mdm',
      focus: item.focus ?? 'Task/1',
    }),
  );
}
