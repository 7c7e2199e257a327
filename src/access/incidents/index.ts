/** Security incidents (SE-10): detected, recorded as resources, told by e-mail, closed by people. */
import type { Clock } from '../../config/index.ts';
import { type Database, platformTenant } from '../../db/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import { type AlertMailer, sendAlerts } from './alerts.ts';
import { type ClockMarks, lookAtClocks } from './clock-drift.ts';
import { createDetector, type Observation } from './detector.ts';
import { guardIncidents } from './guard.ts';
import type { Occurrence } from './incident.ts';
import { createRecorder } from './record.ts';

export type { Occurrence } from './incident.ts';
export { incidentKindSystem, incidentOf, incidentResource } from './resource.ts';
export { watchRecord } from './watch.ts';

export interface IncidentOptions {
  database: Database;
  store: FhirStore;
  /** Clock of the platform. */
  clock: Clock;
  /** Clock of the machine. */
  securityClock: Clock;
  log?: { error(object: object, message: string): void; warn(object: object, message: string): void };
}

/** Where alerts go. */
export interface AlertRoute {
  mailer: AlertMailer;
  recipients: readonly string[];
  baseUrl: () => string;
}

/** Finds what is an incident at this moment, each with its tenant. */
export type Look = (now: Date) => Promise<readonly (readonly [tenant: string, occurrence: Occurrence])[]>;

export interface Incidents {
  /** Takes note of something seen; never throws and is not waited for: what was seen must not fail because of it. */
  report(tenant: string, occurrence: Occurrence): void;
  /** Looks at one entry of the audit trail. */
  observe(tenant: string, observation: Observation): void;
  /**
   * Sends alerts and watches the clocks until `close`. Without a route, incidents are recorded and logged only.
   * @param looks what is looked at every six hours.
   */
  start(route: AlertRoute | undefined, looks?: readonly Look[]): void;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

const everyMs = 15_000;
const clocksEveryMs = 60_000;
const looksEveryMs = 6 * 3_600_000;
/** Incidents on their way to the database; beyond, they are logged only. */
const pendingAtMost = 1_000;

export function createIncidents(options: IncidentOptions): Incidents {
  const { database, store, clock, securityClock, log } = options;
  const record = createRecorder({ store, clock, securityClock });
  const detector = createDetector();
  const pending = new Set<Promise<unknown>>();
  const timers: NodeJS.Timeout[] = [];
  let marks: ClockMarks | undefined;
  store.beforeCommit(guardIncidents, 'Basic');

  function report(tenant: string, occurrence: Occurrence): void {
    const { kind } = occurrence;
    log?.warn({ kind, tenant }, 'security incident');
    if (pending.size >= pendingAtMost) return;
    track(record(tenant, occurrence), 'a security incident could not be recorded');
  }

  function track(work: Promise<unknown>, failure: string): void {
    const settled = work.catch((error: unknown) => log?.error({ error: (error as Error).name }, failure));
    pending.add(settled);
    void settled.finally(() => pending.delete(settled));
  }

  function every(ms: number, work: () => Promise<unknown>, failure: string): void {
    let isRunning = false;
    const timer = setInterval(() => {
      if (isRunning) return;
      isRunning = true;
      track(
        work().finally(() => {
          isRunning = false;
        }),
        failure,
      );
    }, ms);
    timer.unref();
    timers.push(timer);
  }

  return {
    report,
    observe(tenant, observation) {
      for (const occurrence of detector.observe(tenant, observation)) report(tenant, occurrence);
    },
    start(route, looks = []) {
      for (const look of looks) {
        every(
          looksEveryMs,
          async () => {
            for (const [tenant, occurrence] of await look(securityClock.now())) report(tenant, occurrence);
          },
          'a look for security incidents failed',
        );
      }
      every(
        clocksEveryMs,
        async () => {
          const look = await lookAtClocks(database, securityClock, marks);
          marks = look.marks;
          if (look.occurrence) report(platformTenant, look.occurrence);
        },
        'the clocks could not be compared',
      );
      if (!route || route.recipients.length === 0) return;
      every(
        everyMs,
        () => sendAlerts({ database, store, clock: securityClock, ...route, ...(log ? { log } : {}) }),
        'security alerts could not be sent',
      );
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      while (pending.size > 0) await Promise.all(pending);
    },
  };
}
