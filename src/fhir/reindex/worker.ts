/** Works on reindex jobs in the background, on any number of nodes, never more than half of the time. */
import { createLoop } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { typesUnderWay } from './jobs.ts';

/** How often jobs of other nodes are looked for. */
const lookEveryMs = 5_000;

export interface ReindexWorker {
  start(): void;
  stop(): Promise<void>;
  /** A tenant that has nothing yet: there will be nothing to make anew. */
  begin(tenant: string): Promise<void>;
  /** Does everything there is to do, without pauses. */
  finish(tenant: string): Promise<void>;
  /** Looks soon. */
  wake(): void;
  /** Types of the tenant whose index is being made anew, as known here. */
  underWay(tenant: string): ReadonlySet<string>;
}

export function createReindexWorker(options: {
  database: Database;
  step(tenant: string): Promise<'nothing' | 'more' | 'over'>;
  /** Sees whether a tenant's index is what the program makes of it, and asks for a reindex when it is not. */
  inspect(tenant: string): Promise<void>;
  log?: { error(object: object, message: string): void };
}): ReindexWorker {
  const { database, step, inspect, log } = options;
  const inspected = new Set<string>();
  const open = new Map<string, ReadonlySet<string>>();

  /** Every tenant is looked at before any work is done, and each gets its turn: one with millions of rows holds up nobody. */
  async function round(isStopped: () => boolean): Promise<void> {
    const tenants = await database.tenants();
    for (const tenant of tenants) await guarded(() => look(tenant));
    let active = tenants;
    while (active.length > 0 && !isStopped()) {
      const next: string[] = [];
      for (const tenant of active) {
        if (isStopped()) return;
        const begun = performance.now();
        const outcome = await guarded(() => step(tenant));
        if (outcome === 'over') await guarded(() => look(tenant));
        if (outcome === 'more' || outcome === 'over') next.push(tenant);
        // Those who wait for an answer come first.
        await pause(performance.now() - begun);
      }
      active = next;
    }
  }

  async function look(tenant: string): Promise<void> {
    if (!inspected.has(tenant)) await inspect(tenant);
    inspected.add(tenant);
    open.set(tenant, await lookAt(tenant));
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      log?.error({ error: (error as Error).name }, 'reindex failed; it goes on later');
      return undefined;
    }
  }

  async function lookAt(tenant: string): Promise<ReadonlySet<string>> {
    return new Set(await database.transaction(tenant, (sql) => typesUnderWay(sql, tenant)));
  }

  const loop = createLoop({
    everyMs: lookEveryMs,
    round,
    onFailure: (error) => log?.error({ error: (error as Error).name }, 'the tenants could not be listed'),
  });

  return {
    start: () => loop.start('at once'),
    stop: loop.stop,
    begin: inspect,
    async finish(tenant) {
      await inspect(tenant);
      while ((await step(tenant)) !== 'nothing');
      open.set(tenant, await lookAt(tenant));
    },
    // Before the first round nobody works here.
    wake: loop.wake,
    underWay: (tenant) => open.get(tenant) ?? nothing,
  };
}

const nothing: ReadonlySet<string> = new Set();

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
