/**
 * Looks after every subscription with something due: woken by commits of this node at once and of others by NOTIFY, and by itself every
 * second, since rows say what is due and a wake-up may be lost.
 */
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { Log } from './contract.ts';
import { type DeliverParts, deliverStep } from './deliver.ts';
import { forgetEvents, numberEvents } from './events.ts';
import { type FeedState, feedStates, readGeneration } from './feeds.ts';
import { createLanes } from './lanes.ts';
import { type NodeSession, openNodeSession, wakeChannel } from './node-session.ts';
import { eventsKeptMs } from './schedule.ts';
import { single } from './single.ts';

/** Every so many looks, tenants nobody told of are looked at too, and old events are forgotten. */
const thoroughEvery = 30;

export interface Worker {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Everything due now is done, or waits for its due time. The worker does this by itself. */
  sweep(): Promise<void>;
  /** Something was committed here. */
  wake(tenant: string): void;
}

export interface WorkerParts extends DeliverParts {
  database: Database;
  clock: Clock;
  /** Between two looks, in milliseconds; 0 leaves it to `sweep()`. */
  periodMs: number;
  /** A new request waits this long (on the database's clock) until every node knows of it: nothing is missed once it is active. */
  settleMs: number;
  /** Shows the feeds of a tenant to who serves connected clients. */
  onLook(tenant: string, states: readonly FeedState[]): void;
  log?: Log;
}

export function createWorker(parts: WorkerParts): Worker {
  const { database, clock, periodMs, log } = parts;
  const lanes = createLanes();
  const tenants = new Set<string>();
  const looking = new Map<string, { work: Promise<void>; again: boolean }>();
  const notifying = new Map<string, { again: boolean }>();
  let session: NodeSession | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looks = 0;

  /** Runs `work` for a key, once at a time; asked meanwhile, once more afterwards. */
  function onceAtATime(
    running: Map<string, { work: Promise<void>; again: boolean }>,
    key: string,
    work: () => Promise<void>,
  ): Promise<void> {
    const known = running.get(key);
    if (known) {
      known.again = true;
      return known.work;
    }
    const entry = { work: Promise.resolve(), again: false };
    running.set(key, entry);
    entry.work = (async () => {
      try {
        do {
          entry.again = false;
          await work();
        } while (entry.again && session);
      } catch (error) {
        report(error);
      } finally {
        running.delete(key);
      }
    })();
    return entry.work;
  }

  function report(error: unknown): void {
    const { name, code } = error as { name?: string; code?: unknown };
    log?.error({ error: name, code }, 'subscriptions: will be tried again');
  }

  function look(tenant: string): Promise<void> {
    return onceAtATime(looking, tenant, async () => {
      if (!session) return;
      const states = await feedStates(single(database, tenant), tenant);
      if (states.length > 0) tenants.add(tenant);
      else tenants.delete(tenant);
      parts.onLook(tenant, states);
      const due = states.filter((state) => isDue(state, clock.now(), parts.settleMs));
      // Not waited for: an endpoint that hangs must not keep the tenant's others waiting.
      for (const state of due) serve(tenant, state);
    });
  }

  function serve(tenant: string, { id, owner, attempts }: FeedState): void {
    const lane = { key: `${tenant} ${id}`, owner: `${tenant} ${owner}`, isFailing: attempts > 0 };
    lanes.serve(lane, async (isToLeave) => {
      try {
        return await stepsOf(tenant, id, isToLeave);
      } catch (error) {
        report(error);
        return false;
      }
    });
  }

  /** Steps of one subscription, under its lock, until nothing is due. @returns whether something still is. */
  async function stepsOf(tenant: string, id: string, isToLeave: () => boolean): Promise<boolean> {
    const name = `subscription ${tenant} ${id}`;
    if (!session || !(await session.tryLock(name))) return false;
    try {
      while (session && (await deliverStep(parts, tenant, id))) if (isToLeave()) return true;
      return false;
    } finally {
      await session?.unlock(name);
    }
  }

  async function sweep(): Promise<void> {
    if (!session) return;
    if (looks++ % thoroughEvery === 0) await thorough();
    await Promise.all([...tenants].map(look));
    await lanes.settled();
  }

  async function thorough(): Promise<void> {
    const before = new Date(clock.now().getTime() - eventsKeptMs);
    for (const tenant of await database.tenants()) {
      const generation = await readGeneration(single(database, tenant), tenant);
      if (generation === 0) continue;
      tenants.add(tenant);
      await forgetOld(tenant, before);
    }
  }

  /** Numbered first: a number that is missing tells that something was, an event without one would vanish without a trace. */
  async function forgetOld(tenant: string, before: Date): Promise<void> {
    const { rows } = await database.query<{ id: string }>(
      tenant,
      `SELECT DISTINCT subscription AS id FROM subscription_event WHERE tenant = $1 AND at < $2 AND number IS NULL`,
      [tenant, before],
    );
    for (const { id } of rows) await database.transaction(tenant, (sql) => numberEvents(sql, tenant, id));
    await forgetEvents(single(database, tenant), tenant, before);
  }

  /** Tells the other nodes, outside the writer's transaction (NOTIFY makes commits wait for each other), one at a time. */
  function tellOthers(tenant: string): void {
    const known = notifying.get(tenant);
    if (known) {
      known.again = true;
      return;
    }
    const entry = { again: false };
    notifying.set(tenant, entry);
    database
      .query(tenant, 'SELECT pg_notify($1, $2)', [wakeChannel, tenant])
      // They look by themselves every second.
      .catch(() => undefined)
      .finally(() => {
        notifying.delete(tenant);
        if (entry.again) tellOthers(tenant);
      });
  }

  return {
    async start() {
      session = await openNodeSession(database.url, (tenant) => void (periodMs > 0 && wakeHere(tenant)), log);
      if (periodMs === 0) return;
      timer = setInterval(() => {
        sweep().catch((error: unknown) =>
          log?.error({ error: (error as Error).name }, 'subscriptions could not be looked at'),
        );
      }, periodMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      const ending = session;
      session = undefined;
      await Promise.allSettled([...looking.values()].map(({ work }) => work));
      await lanes.settled();
      await ending?.close();
    },
    sweep,
    wake(tenant) {
      tenants.add(tenant);
      if (periodMs === 0) return;
      wakeHere(tenant);
      tellOthers(tenant);
    },
  };

  function wakeHere(tenant: string): void {
    if (session) void look(tenant);
  }
}

/** Whether something is to be done for a feed now: pure. */
function isDue(state: FeedState, now: Date, settleMs: number): boolean {
  const { status, channel, endsAt, nextAt, heartbeatAt, isBehind, unchangedMs } = state;
  if (endsAt && endsAt <= now) return true;
  if (status === 'requested') return unchangedMs >= settleMs;
  if (status !== 'active' || channel === 'websocket' || nextAt > now) return false;
  return isBehind || (heartbeatAt !== null && heartbeatAt <= now);
}
