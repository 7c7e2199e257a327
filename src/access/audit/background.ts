/**
 * Turns the journal into AuditEvents while the server has time. Nothing depends on it: who looks for AuditEvents gets all of them, whether
 * this ran or not; it keeps that look short. A busy server puts it off, but not for ever.
 */
import { performance } from 'node:perf_hooks';
import type { FhirStore } from '../../fhir/index.ts';

const everyMs = 3_000;
/** Share of the time the process was at work; above, projecting would take it from those who wait for an answer. */
const busyFrom = 0.4;
/** Put off at most so long. */
const latestMs = 10 * 60_000;

export interface BackgroundProjection {
  /** Resolves when the work under way is done. */
  stop(): Promise<void>;
}

export function projectInBackground(options: {
  store: Pick<FhirStore, 'projectSome'>;
  tenants: () => Promise<readonly string[]>;
  log?: { error(object: object, message: string): void };
}): BackgroundProjection {
  const { store, tenants, log } = options;
  let stopped = false;
  let working: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  let before = performance.eventLoopUtilization();
  let finishedAt = performance.now();

  async function round(): Promise<void> {
    const since = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(since, before).utilization > busyFrom;
    before = since;
    const isLate = performance.now() - finishedAt > latestMs;
    if (busy && !isLate) return;
    for (const tenant of await tenants()) {
      while (!stopped && (await store.projectSome(tenant)));
    }
    finishedAt = performance.now();
    // Its own work does not count as being busy.
    before = performance.eventLoopUtilization();
  }

  function schedule(): void {
    timer = setTimeout(() => {
      working = round()
        .catch((error: unknown) => {
          log?.error(
            { error: (error as Error).name },
            'the audit trail could not be projected; it will be tried again',
          );
        })
        .finally(() => {
          if (!stopped) schedule();
        });
    }, everyMs);
    timer.unref();
  }

  schedule();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await working;
    },
  };
}
