/**
 * A clock of a case reached steps of its plan: each is raised once, the oldest first, also several at once after downtime (WF-4). The
 * messages, the mark on the case and the plan are of one transaction under the case's lock.
 */
import type { Communication, Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type CaseState, type ClockDefinition, clocks, decide, type Party } from '../case/index.ts';
import {
  type DueTime,
  type Plan,
  readPlan,
  repetitionOf,
  type Step,
  stepsDue,
  storePlan,
  withRaised,
} from '../clock/index.ts';
import { type CaseClock, clocksOf, runningOf, withClocks } from '../shell/case-clocks.ts';
import type { CaseTask } from '../shell/case-task.ts';
import type { CaseView } from '../shell/case-view.ts';
import { communication, coordinators } from '../shell/communication.ts';
import { gatherFacts } from '../shell/gather-facts.ts';
import { raiseLateFlag } from '../shell/late-flag.ts';
import { allOf, firstOf, membersOf } from '../shell/parties.ts';
import { perform, readCase, type Shell, systemActor, transition } from '../shell/perform.ts';
import type { Notice } from '../talk/notices.ts';
import { sendNotice } from '../talk/send-notice.ts';
import { escalationText, reminderCategory, reminderText, repetitionText } from './clock-words.ts';
import { renewLease, wasAway } from './renew-lease.ts';

/** A case with one of its clocks, as it is raised. */
interface Scene {
  shell: Shell;
  tx: FhirTransaction;
  task: CaseTask;
  state: CaseState;
  view: CaseView;
  clock: CaseClock;
  definition: ClockDefinition;
  plan: Plan;
  now: Date;
}

export async function raiseClock(shell: Shell, due: DueTime, tx: FhirTransaction): Promise<void> {
  // A case from before there were several clocks: looking at it starts those that should run.
  if (due.key === '') {
    await perform(shell, tx, due.caseId, { event: 'settle', bySystem: true });
    return;
  }
  const { task, state } = await readCase(tx, due.caseId);
  const clock = runningOf(task).find(({ name }) => name === due.key);
  const definition = clocks.find(({ name }) => name === due.key);
  if (clock === undefined || definition === undefined) return;
  const now = tx.context.now();
  const { tenant } = tx.context;
  const plan: Plan = await readPlan(tx.sql, tenant, due.caseId, due.key);
  const steps = stepsDue(plan, now);
  if (clock.name === 'lease' && wasAway(clock, now)) return renewLease(shell, tx, task, clock, plan);
  const row = { caseId: due.caseId, name: clock.name, dueAt: clock.due };
  await storePlan(tx.sql, tenant, row, withRaised(plan, steps, now), now);
  const view = await gatherFacts(tx, task, now);
  const scene: Scene = { shell, tx, task, state, view, clock, definition, plan, now };
  const isDue = steps.some(({ step }) => step === 'due');
  // Who is told that the case was released need not be warned of it.
  const told = isDue && definition.raises === 'release' ? [] : steps;
  for (const { step } of told) if (step !== 'due') await tell(scene, step);
  if (isDue) await fallDue(scene);
}

/** One step, told in the application and by e-mail; whoever is not there is stood in for: no step is silent. */
async function tell(scene: Scene, step: Exclude<Step, 'due'>): Promise<void> {
  const { shell, tx, task, state, view, clock, definition, now } = scene;
  const leftMs = clock.due.getTime() - now.getTime();
  const about = `Task/${task.id}`;
  const percent = /^reminder-(\d+)$/.exec(step)?.[1];
  if (percent === undefined) {
    const number = repetitionOf(step);
    const to = await allOf(number === undefined ? [partyOf(step)] : toldBefore(scene), task, view, tx);
    const text =
      number === undefined
        ? escalationText(clock.name, state, leftMs)
        : repetitionText(clock.name, state, leftMs, number);
    await tx.create<Communication>(
      communication(task, { category: 'escalation', text, recipients: to, sent: now, urgent: true }),
    );
    await sendNotice(shell, tx, { template: 'escalation', to, about, values: { since: clock.due } });
    return;
  }
  const members = definition.remindsAll ? allOf : firstOf;
  const to = await members(definition.reminds, task, view, tx);
  const category = reminderCategory(clock.name);
  await tx.create<Communication>(
    communication(task, {
      category,
      text: reminderText(clock.name, state, Number(percent), leftMs),
      recipients: to,
      sent: now,
      urgent: percent === '100' && (category === 'deadline' || task.priority !== 'routine'),
    }),
  );
  await sendNotice(shell, tx, reminderNotice(clock, Number(percent), leftMs, to, about));
}

const partyOf = (step: Step): Party => step.slice('escalation-'.length) as Party;

/** Whoever was reminded and escalated to: one message for all, or nobody would know that the others know. */
function toldBefore({ definition, plan }: Scene): Party[] {
  return [...definition.reminds, ...plan.flatMap(({ step }) => (step.startsWith('escalation-') ? partyOf(step) : []))];
}

function reminderNotice(clock: CaseClock, percent: number, leftMs: number, to: Reference[], about: string): Notice {
  const { started, due } = clock;
  if (reminderCategory(clock.name) === 'waiting') return { template: 'waiting', to, about, values: { since: started } };
  if (leftMs <= 0) return { template: 'deadline-passed', to, about, values: { due } };
  return { template: 'deadline-reminder', to, about, values: { percent, due } };
}

/** The delay is over: what the clock leads to happens, else the case is marked late. */
async function fallDue(scene: Scene): Promise<void> {
  const { shell, tx, task, clock, definition } = scene;
  if (definition.raises === 'expire') return expire(scene);
  if (definition.raises === 'release') return release(scene);
  const runs = clocksOf(task).map((each) =>
    each.name === clock.name && each.stopped === undefined ? { ...each, late: true } : each,
  );
  const late = withClocks(task, runs);
  if (clock.name === 'interpretation') await raiseLateFlag(late, tx);
  await shell.writes.update(tx, late);
}

/** Images never came: the case ends and the site is told. One whose images came meanwhile goes on. */
async function expire({ shell, tx, task, state, view }: Scene): Promise<void> {
  if ('refusal' in decide(state, 'expire', systemActor, view.facts)) return;
  await transition(shell, tx, task, state, {
    event: 'expire',
    bySystem: true,
    input: { reason: "Les images n'ont pas été reçues dans le délai prévu." },
  });
}

/** Nobody works on it any more: it goes back to the list, and whoever had it is told with the coordinators. */
async function release({ shell, tx, task, state, view, clock, now }: Scene): Promise<void> {
  if ('refusal' in decide(state, 'release', systemActor, view.facts)) return;
  const idle = Math.round((now.getTime() - clock.started.getTime()) / 60_000);
  const to = [...(await membersOf('owner', task, view, tx)), ...(await coordinators(tx, task, view.settings))];
  await transition(shell, tx, task, state, { event: 'release', bySystem: true });
  await tx.create<Communication>(
    communication(task, {
      category: 'lease-ended',
      text: `Dossier rendu à la liste : aucune activité depuis ${idle} min. Ce qui était écrit est gardé.`,
      recipients: to,
      sent: now,
      urgent: task.priority !== 'routine',
    }),
  );
  await sendNotice(shell, tx, { template: 'incident', to, about: `Task/${task.id}`, values: {} });
}
