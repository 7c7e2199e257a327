/**
 * Turns the journal into AuditEvents while the server has time. Nothing depends on it: who looks for AuditEvents gets all of them, whether
 * this ran or not; it keeps that look short. A busy server puts it off, but not for ever.
 */
import { createLoop, type Loop } from '../../config/index.ts';
import type { FhirStore } from '../../fhir/index.ts';

const everyMs = 3_000;
/** Entries a second in the time before; above, projecting would take the machine from those who wait for an answer. */
const busyFrom = 50;
/**
 * Put off at most so long, and so many entries: who asks for AuditEvents must not wait longer than a search may take, and what is not
 * projected is not sealed (docs/decisions/0015-audit-chain.md).
 */
const latestMs = 60_000;
const mostBehind = 40_000;

interface Moment {
  at: number;
  /** Entries by then. */
  written: number;
}

export type BackgroundProjection = Pick<Loop, 'stop'>;

export function projectInBackground(options: {
  store: Pick<FhirStore, 'projectSome'>;
  tenants: () => Promise<readonly string[]>;
  /** Entries written since the start. */
  written: () => number;
  log?: { error(object: object, message: string): void };
}): BackgroundProjection {
  const { store, tenants, written, log } = options;
  let before: Moment = { at: performance.now(), written: written() };
  /** When nothing was left to do for the last time. */
  let done = before;

  async function round(isStopped: () => boolean): Promise<void> {
    const begun = { at: performance.now(), written: written() };
    const isBusy = paceSince(before) > busyFrom;
    before = begun;
    if (isBusy && !isOverdue()) return;
    for (const tenant of await tenants()) {
      while (!isStopped() && (await store.projectSome(tenant))) {
        // Those who come meanwhile go first, too.
        const isSettled = performance.now() - begun.at > everyMs;
        if (isSettled && paceSince(begun) > busyFrom && !isOverdue()) return;
      }
    }
    done = { at: performance.now(), written: written() };
  }

  function paceSince({ at, written: then }: Moment): number {
    return (written() - then) / ((performance.now() - at) / 1000);
  }

  function isOverdue(): boolean {
    return performance.now() - done.at > latestMs || written() - done.written > mostBehind;
  }

  const loop = createLoop({
    everyMs,
    round,
    onFailure: (error) =>
      log?.error({ error: (error as Error).name }, 'the audit trail could not be projected; it will be tried again'),
  });
  loop.start();
  return loop;
}
