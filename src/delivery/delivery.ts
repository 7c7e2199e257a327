import { type Clock, systemClock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import { type Context, FhirError, type FhirStore } from '../fhir/index.ts';
import { deliver, errorKind, record } from './attempt.ts';
import type { Delivery, Destination, OutcomeHook } from './contract.ts';
import { newItemId } from './item-id.ts';
import {
  backlog,
  claimHead,
  heads,
  holdItems,
  type ItemState,
  insertItem,
  list,
  type OutboxItem,
  releaseItems,
  revive,
  sentPayload,
} from './outbox.ts';
import { openPresence, type Presence } from './presence.ts';
import { waitLeftMs } from './schedule.ts';

/** How often the table is looked at although nobody woke us: items queued by a process that has no worker, or that died. */
const sweepEveryMs = 5_000;
/** Destinations served at the same time by one process: bounds memory, as a report in flight is held whole. */
const lanesAtOnce = 16;
const reconnectEveryMs = 2_000;
const listLimit = 1_000;

interface Log {
  info(object: object, message: string): void;
  warn(object: object, message: string): void;
  error(object: object, message: string): void;
}

/** What is waiting in one tenant. */
export interface Backlog {
  tenant: string;
  queued: number;
  deadLetters: number;
  oldestAgeSeconds: number;
}

/** The loop that serves one destination; `again` says that something was queued while it looked. */
interface Lane {
  prefix: string | undefined;
  work: Promise<void>;
  again: boolean;
}

/** The contract, and what operators need. */
export interface DeliveryRoom extends Delivery {
  /** Everything due now is tried; resolves when nothing due is left or all of it waits. The worker does this by itself. */
  sweep(): Promise<void>;
  /** Items in these states, oldest first, at most `limit` (1,000). */
  list(tenant: string, states: readonly ItemState[], limit?: number): Promise<OutboxItem[]>;
  /** The bytes finally sent for a delivered or refused item. */
  sentPayload(tenant: string, id: string): Promise<Buffer | undefined>;
  backlog(): Promise<Backlog[]>;
}

export interface DeliveryOptions {
  database: Database;
  store: FhirStore;
  clock: Clock;
  log?: Log;
  /** Between two looks at the table, in milliseconds; 0 leaves it to `sweep()`. */
  sweepEveryMs?: number;
  /** In [0, 1), for the jitter. */
  random?: () => number;
}

/** The delivery room: queues in the caller's transaction, sends in order per destination, never forgets. */
export function createDelivery(options: DeliveryOptions): DeliveryRoom {
  const { database, store, clock, log, random = Math.random } = options;
  const period = options.sweepEveryMs ?? sweepEveryMs;
  const destinations: Destination[] = [];
  const hooks: OutcomeHook[] = [];
  /** Running lanes by tenant and destination: a destination is served by one loop at a time. */
  const lanes = new Map<string, Lane>();
  let presence: Presence | undefined;
  let contextOf: ((tenant: string, interaction: string) => Context) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let timerAt = Number.POSITIVE_INFINITY;
  /** A destination found no free lane: the next lane that ends makes us look again. */
  let turnedAway = false;
  let sweeping: Promise<void> | undefined;

  const destinationOf = (name: string) => destinations.find((destination) => name.startsWith(destination.prefix));

  /** Looks again after `delayMs` of the clock, or sooner when that was asked already. */
  function lookAgain(delayMs: number): void {
    if (period === 0 || !presence) return;
    const delay = Math.min(Math.max(delayMs, 1), period);
    const at = systemClock.now().getTime() + delay;
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(() => {
      timerAt = Number.POSITIVE_INFINITY;
      void sweep();
    }, delay);
    timer.unref();
  }

  function wake(tenant: string, destination: string): Promise<void> {
    const name = `${tenant} ${destination}`;
    const running = lanes.get(name);
    if (running) {
      running.again = true;
      return running.work;
    }
    if (!presence) return Promise.resolve();
    const { prefix, lanes: most = lanesAtOnce } = destinationOf(destination) ?? {};
    const alike = [...lanes.values()].filter((lane) => lane.prefix === prefix).length;
    if (lanes.size >= lanesAtOnce || alike >= most) {
      turnedAway = true;
      return Promise.resolve();
    }
    const lane: Lane = { prefix, work: Promise.resolve(), again: false };
    lanes.set(name, lane);
    lane.work = serve(tenant, destination, lane)
      .catch((error: unknown) => {
        log?.error({ tenant, destination, error: errorKind(error) }, 'delivery lane stopped, will be looked at again');
        lookAgain(period);
      })
      .finally(() => release(name, lane));
    return lane.work;
  }

  /** A lane leaves the list in the same turn in which it decides to end: who wakes it later finds none and starts another. */
  function release(name: string, lane: Lane): void {
    if (lanes.get(name) !== lane) return;
    lanes.delete(name);
    if (!turnedAway) return;
    turnedAway = false;
    lookAgain(1);
  }

  /** Sends the head of one destination until nothing is left, or the head has to wait. */
  async function serve(tenant: string, destination: string, lane: Lane): Promise<void> {
    for (;;) {
      const sender = presence?.key();
      if (sender === undefined || !contextOf) return;
      lane.again = false;
      const claim = await database.transaction(tenant, (sql) =>
        claimHead(sql, tenant, destination, sender, clock.now()),
      );
      if (claim.status === 'claimed') {
        await attempt(claim.item, sender);
        continue;
      }
      if (lane.again) continue;
      release(`${tenant} ${destination}`, lane);
      if (claim.status === 'waiting') lookAgain(claim.nextAt.getTime() - clock.now().getTime());
      return;
    }
  }

  async function attempt(item: OutboxItem, sender: number): Promise<void> {
    const context = contextOf?.(item.tenant, `delivery:${item.kind}`);
    if (!context) return;
    const result = await deliver(destinationOf(item.destination), item);
    const state = await record({ store, clock, hooks, context, random }, item, sender, result);
    const facts = { tenant: item.tenant, destination: item.destination, item: item.id, attempts: item.attempts };
    if (state === 'delivered') log?.info(facts, 'delivered');
    else if (state === undefined) log?.warn(facts, 'taken over by another worker while sending');
    else
      log?.warn(
        { ...facts, state },
        state === 'queued' ? 'not delivered, will be tried again' : 'set aside as a dead letter',
      );
  }

  async function sweepOnce(): Promise<void> {
    const work: Promise<void>[] = [];
    for (const tenant of await database.tenants()) {
      const found = await database.transaction(tenant, (sql) => heads(sql, tenant));
      const now = clock.now();
      for (const head of found) {
        const waitMs = head.state === 'queued' ? waitLeftMs(head.nextAt, now) : 0;
        if (waitMs > 0) lookAgain(waitMs);
        else work.push(wake(tenant, head.destination));
      }
    }
    lookAgain(period);
    await Promise.all(work);
  }

  /** One sweep at a time by the timer; its end is not awaited by the timer, so a slow destination does not delay the others. */
  async function sweep(): Promise<void> {
    if (!presence) return;
    try {
      await sweepOnce();
    } catch (error) {
      log?.error({ error: errorKind(error) }, 'the outbox could not be read, will be tried again');
      lookAgain(period);
    }
  }

  return {
    async enqueue(tx, item) {
      const id = newItemId();
      const { tenant } = tx.context;
      await insertItem(tx.sql, { tenant, id, ...item, now: clock.now() });
      tx.afterCommit(() => {
        void wake(tenant, item.destination);
      });
      return id;
    },
    registerDestination(destination) {
      destinations.push(destination);
    },
    onOutcome(hook) {
      hooks.push(hook);
    },
    async start(systemContext) {
      contextOf = systemContext;
      presence = await openPresence(database.url, (retry) => {
        const again = () => {
          retry().then(
            () => void sweep(),
            () => setTimeout(again, reconnectEveryMs).unref(),
          );
        };
        log?.warn({}, 'the delivery session was lost, opening another');
        again();
      });
      sweeping = sweep();
      // With a timer, what was left from before is sent in the background: the server must not wait for a slow hospital.
      if (period === 0) await sweeping;
    },
    async stop() {
      const open = presence;
      presence = undefined;
      clearTimeout(timer);
      timerAt = Number.POSITIVE_INFINITY;
      await sweeping;
      await Promise.all([...lanes.values()].map((lane) => lane.work));
      await open?.close();
    },
    hold: (tx, focus) => holdItems(tx.sql, tx.context.tenant, focus),
    async release(tx, focus) {
      const { tenant } = tx.context;
      const destinations = await releaseItems(tx.sql, tenant, focus, clock.now());
      tx.afterCommit(() => {
        for (const destination of destinations) void wake(tenant, destination);
      });
    },
    async replay(tenant, id) {
      const destination = await database.transaction(tenant, (sql) => revive(sql, tenant, id, clock.now()));
      if (!destination) throw noDeadLetter(id);
      void wake(tenant, destination);
    },
    sweep,
    list: (tenant, states, limit = listLimit) =>
      database.transaction(tenant, (sql) => list(sql, tenant, states, Math.min(limit, listLimit))),
    sentPayload: (tenant, id) => database.transaction(tenant, (sql) => sentPayload(sql, tenant, id)),
    async backlog() {
      const now = clock.now().getTime();
      const all: Backlog[] = [];
      for (const tenant of await database.tenants()) {
        const { queued, deadLetters, oldestQueuedAt } = await database.transaction(tenant, (sql) =>
          backlog(sql, tenant),
        );
        const age = oldestQueuedAt ? Math.max(0, now - oldestQueuedAt.getTime()) / 1000 : 0;
        all.push({ tenant, queued, deadLetters, oldestAgeSeconds: age });
      }
      return all;
    },
  };
}

function noDeadLetter(id: string): FhirError {
  const text = `Aucun envoi abandonné ${id} : voyez « deliveries list ».`;
  return FhirError.of(404, [
    { severity: 'error', code: 'not-found', diagnostics: `No dead letter ${id}`, details: { text } },
  ]);
}
