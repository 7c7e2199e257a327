/**
 * Raises what fell due: at start for the time the server was down, then every second. Safe on any number of servers. A case that somebody
 * holds is set aside and waited for beside the round, so that it delays no other; what falls due in one case is raised in its order.
 */
import { type Clock, createLoop } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import type { Log } from '../room.ts';
import { type DueTime, dueNow, type LeftOut } from './due-time.ts';
import { type RaiseDue, raiseOne } from './raise-one.ts';

interface Sweep {
  /** Raises everything due now, in every tenant; resolves when done, held cases waited for. @returns how many were raised. */
  sweep(): Promise<number>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const sweepEveryMs = 1000;
/** Due times looked at per query: bounds memory after a long stop. */
const batch = 200;
/** In a round: who holds a case for longer is in the middle of something. */
const roundPatienceMs = 50;
/** Cases waited for at the same time: each holds a connection, of a dozen. */
const waitersAtMost = 2;

/** What falls due in one case, or of one study without a case: in order, and by one of us. */
interface Group {
  tenant: string;
  caseId: string;
  study: string;
  dues: DueTime[];
}

const nameOf = ({ tenant, caseId, study }: Omit<Group, 'dues'>) => `${tenant} ${caseId} ${study}`;

export function createSweep(
  room: { database: Database; store: FhirStore; clock: Clock; log: Log },
  raise: RaiseDue,
): Sweep {
  const { database, clock, log } = room;
  const parts = { room, raise };
  /** Held cases that are waited for, by name. */
  const waiting = new Map<string, { group: Group; work: Promise<void> }>();
  /** Raised by those who waited, since the start. */
  let raisedBeside = 0;

  /** In order, until one is held. @returns what is left then. */
  async function raiseGroup(
    group: Group,
    patience: { patienceMs?: number },
  ): Promise<{ raised: number; left: DueTime[] }> {
    let raised = 0;
    for (const [index, due] of group.dues.entries()) {
      const outcome = await raiseOne(parts, group.tenant, due, patience);
      if (outcome === 'locked') return { raised, left: group.dues.slice(index) };
      if (outcome === 'raised') raised++;
    }
    return { raised, left: [] };
  }

  /** False when there is no room: the next round comes back to it. */
  function waitFor(group: Group): boolean {
    if (waiting.size >= waitersAtMost) return false;
    const name = nameOf(group);
    const work = raiseGroup(group, {})
      .then(({ raised, left }) => {
        if (left.length > 0)
          log.warn(
            { tenant: group.tenant, task: group.caseId, kind: left[0]?.kind },
            'a case is held by somebody: what fell due in it waits',
          );
        raisedBeside += raised;
      })
      .catch((error: unknown) => {
        log.error({ err: error, tenant: group.tenant, task: group.caseId }, 'the sweep of due times failed');
      })
      .finally(() => waiting.delete(name));
    waiting.set(name, { group, work });
    return true;
  }

  /** @param turnedAway counts the held cases nobody waits for. */
  async function sweepTenant(
    tenant: string,
    isStopped: () => boolean,
  ): Promise<{ raised: number; turnedAway: number }> {
    const aside: Group[] = [...waiting.values()].map(({ group }) => group).filter((group) => group.tenant === tenant);
    let raised = 0;
    let turnedAway = 0;
    while (!isStopped()) {
      // One statement without a transaction: asked every second of every tenant, mostly for nothing.
      const found = await dueNow(database, tenant, clock.now(), { limit: batch, without: leftOut(aside) });
      let moved = 0;
      for (const group of groupsOf(tenant, found)) {
        const done = await raiseGroup(group, { patienceMs: roundPatienceMs });
        raised += done.raised;
        moved += done.raised;
        if (done.left.length === 0) continue;
        const rest = { ...group, dues: done.left };
        if (!waitFor(rest)) turnedAway++;
        aside.push(rest);
        moved++;
      }
      // A full batch of which nothing was raised is in another server's hands.
      if (found.length < batch || moved === 0) break;
    }
    return { raised, turnedAway };
  }

  /** Waits for no held case. */
  async function round(isStopped: () => boolean): Promise<{ raised: number; turnedAway: number }> {
    const total = { raised: 0, turnedAway: 0 };
    for (const tenant of await database.tenants()) {
      const { raised, turnedAway } = await sweepTenant(tenant, isStopped);
      total.raised += raised;
      total.turnedAway += turnedAway;
    }
    return total;
  }

  async function sweep(): Promise<number> {
    const before = raisedBeside;
    for (let sum = 0; ; ) {
      const { raised, turnedAway } = await round(() => false);
      sum += raised;
      await Promise.all([...waiting.values()].map(({ work }) => work));
      if (turnedAway === 0) return sum + raisedBeside - before;
    }
  }

  const loop = createLoop({
    everyMs: sweepEveryMs,
    round,
    onFailure: (error) => log.error({ err: error }, 'the sweep of due times failed'),
  });

  return {
    sweep,
    async start() {
      await round(() => false).catch((error: unknown) => log.error({ err: error }, 'the sweep of due times failed'));
      loop.start();
    },
    async stop() {
      await loop.stop();
      await Promise.all([...waiting.values()].map(({ work }) => work));
    },
  };
}

function leftOut(aside: readonly Group[]): LeftOut {
  return {
    cases: aside.flatMap(({ caseId }) => (caseId === '' ? [] : [caseId])),
    studies: aside.flatMap(({ caseId, study }) => (caseId === '' ? [study] : [])),
  };
}

/** In the order of what fell due first in each. */
function groupsOf(tenant: string, found: readonly DueTime[]): Group[] {
  const groups = new Map<string, Group>();
  for (const due of found) {
    const place = { tenant, caseId: due.caseId, study: due.caseId === '' ? due.key : '' };
    const group = groups.get(nameOf(place));
    if (group) group.dues.push(due);
    else groups.set(nameOf(place), { ...place, dues: [due] });
  }
  return [...groups.values()];
}
