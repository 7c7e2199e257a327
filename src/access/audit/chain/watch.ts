/**
 * Looks after the chain while the server runs: tells its heads outside the database, and proves it again and again, a piece at a time, so
 * that a break is known within hours and not at the next audit.
 */
import { createLoop, systemClock } from '../../../config/index.ts';
import type { Database } from '../../../db/index.ts';
import { addMonthsAhead } from '../retention/months-ahead.ts';
import { type Anchor, headOf, readAnchors, writeAnchors } from './anchors.ts';
import type { AuditKeys } from './keys.ts';
import { beginning, type Fault, type Link } from './prove.ts';
import { findStranger } from './strangers.ts';
import { verifyChain } from './verify.ts';

const everyMs = 5 * 60_000;
/** Seals proven at each look: ten thousand rows of the journal at most, some seconds of one connection. */
const sealsAtOnce = 200;
/** A cut is seen by the newest anchor; the older ones are for `audit-verify`. */
const daysOfAnchors = 2;
/** Rows that no seal knows are looked for among what is as young as this. */
const strangersWithinMs = 24 * 3_600_000;

/** Told once for each fault, until the next start. */
export type ChainBroken = (tenant: string, fault: Fault) => void;

export interface ChainWatchOptions {
  database: Database;
  keys: AuditKeys;
  /** Folder of the anchors; undefined: they go to the log only. */
  anchors: string | undefined;
  tenants(): Promise<readonly string[]>;
  now(): Date;
  onBroken: ChainBroken;
  log?: { info?(object: object, message: string): void; error(object: object, message: string): void };
}

export interface ChainWatch {
  /** One look at every tenant. */
  look(): Promise<void>;
  start(): void;
  /** Tells the heads a last time. */
  stop(): Promise<void>;
}

export function createChainWatch(options: ChainWatchOptions): ChainWatch {
  const { database, keys, now, log } = options;
  /** Number of the last head told, by tenant. */
  const told = new Map<string, number>();
  /** How far each chain was proven. */
  const proven = new Map<string, Link>();
  const known = new Set<string>();
  let monthsMade: number | undefined;

  async function anchor(): Promise<void> {
    const fresh: Anchor[] = [];
    for (const tenant of await options.tenants()) {
      const head = await headOf(database, tenant);
      if (!head || told.get(tenant) === head.number) continue;
      log?.info?.({ ...head }, 'head of the audit chain');
      fresh.push(head);
    }
    if (options.anchors !== undefined) await writeAnchors(options.anchors, fresh, now());
    for (const { tenant, number } of fresh) told.set(tenant, number);
  }

  async function prove(tenant: string): Promise<void> {
    const trusted = await keys.trusted();
    const anchors = options.anchors === undefined ? [] : await readAnchors(options.anchors, tenant, daysOfAnchors);
    const after = proven.get(tenant) ?? beginning;
    const proof = await verifyChain({ database, tenant, trusted, anchors, after, seals: sealsAtOnce });
    const isAtEnd = proof.seals < sealsAtOnce;
    // From the beginning again: what was proven once may be altered later.
    proven.set(tenant, isAtEnd ? beginning : proof.head);
    const since = new Date(now().getTime() - strangersWithinMs);
    const fault = proof.fault ?? (isAtEnd ? await findStranger(database, tenant, since) : undefined);
    if (fault) broken(tenant, fault);
  }

  function broken(tenant: string, fault: Fault): void {
    const key = JSON.stringify([tenant, fault]);
    if (known.has(key)) return;
    known.add(key);
    log?.error({ tenant, ...fault }, 'the audit chain is broken');
    options.onBroken(tenant, fault);
  }

  /** Parts of the months to come; by the machine's own clock, like the database's. */
  async function makeMonths(): Promise<void> {
    const today = systemClock.now();
    if (monthsMade === today.getUTCDate()) return;
    await addMonthsAhead(database, today);
    monthsMade = today.getUTCDate();
  }

  async function look(): Promise<void> {
    await makeMonths();
    // Proven before it is told: an anchor must not vouch for what was cut off meanwhile.
    for (const tenant of await options.tenants()) await prove(tenant);
    await anchor();
  }

  const onFailure = (error: unknown) =>
    log?.error({ error: (error as Error).name }, 'the audit chain could not be looked at; it will be tried again');
  const loop = createLoop({ everyMs, round: look, onFailure });

  return {
    look,
    start: () => loop.start(),
    async stop() {
      await loop.stop();
      await anchor().catch(onFailure);
    },
  };
}
