/** A lease that ended while the platform was away runs anew: its reader could not give a sign of life (WF-4). */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type Plan, storePlan } from '../clock/index.ts';
import { type CaseClock, clocksOf, withClocks } from '../shell/case-clocks.ts';
import type { CaseTask } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';

/** The sweep looks every second: what it raises so late fell while no server ran. */
const awayMs = 5 * 60_000;

export function wasAway(lease: CaseClock, now: Date): boolean {
  return now.getTime() - lease.due.getTime() > awayMs;
}

/** The whole lease again, from now, with all its steps. */
export async function renewLease(
  shell: Shell,
  tx: FhirTransaction,
  task: CaseTask,
  lease: CaseClock,
  plan: Plan,
): Promise<void> {
  const now = tx.context.now();
  const shiftMs = now.getTime() - lease.started.getTime();
  const later = (instant: Date): Date => new Date(instant.getTime() + shiftMs);
  const renewed: CaseClock = { ...lease, started: now, due: later(lease.due) };
  const shifted = plan.map(({ step, at }) => ({ step, at: later(at) }));
  await storePlan(tx.sql, tx.context.tenant, { caseId: task.id, name: 'lease', dueAt: renewed.due }, shifted, now);
  const runs = clocksOf(task).map((run) => (run.name === 'lease' && run.stopped === undefined ? renewed : run));
  await shell.writes.update(tx, withClocks(task, runs));
}
