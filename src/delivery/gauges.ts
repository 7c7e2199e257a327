import type { Backlog } from './delivery.ts';

/** Numbers for supervision, read when they are asked for: what waits, what was set aside, how old the oldest is. */
export function deliveryGauges(delivery: {
  backlog(): Promise<Backlog[]>;
}): { name: string; help: string; read(): Promise<number> }[] {
  const total = async (pick: (backlog: Backlog) => number) =>
    (await delivery.backlog()).reduce((sum, backlog) => sum + pick(backlog), 0);
  return [
    {
      name: 'passerelle_delivery_queued',
      help: 'Items waiting to be delivered or being sent',
      read: () => total((backlog) => backlog.queued),
    },
    {
      name: 'passerelle_delivery_dead_letters',
      help: 'Items set aside: refused by the other side or given up',
      read: () => total((backlog) => backlog.deadLetters),
    },
    {
      name: 'passerelle_delivery_oldest_age_seconds',
      help: 'Age of the oldest item not yet delivered',
      read: async () => Math.max(0, ...(await delivery.backlog()).map((backlog) => backlog.oldestAgeSeconds)),
    },
  ];
}
