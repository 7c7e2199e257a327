/**
 * After each transition: the clocks that should run by the case's state and facts (case/clocks.ts) against those its Task shows. What is
 * missing starts, what is too many stops; each with its durable row, in the same transaction (WF-3, WF-4, design §5 rule 3).
 */
import { type CaseState, type ClockName, type Decision, type Facts, runningClocks } from '../case/index.ts';
import { dropPlans, dueAt, planOf, readPlan, replan, storePlan } from '../clock/index.ts';
import { type ActCode, agreedTerms, type ChosenTerm, chooseTerm, type Terms } from '../contract-terms/index.ts';
import { type CaseClock, clocksOf, runningOf, withClocks } from './case-clocks.ts';
import { type CaseTask, idOf, stateOf } from './case-task.ts';
import { actsOf, criticalCategoriesOf, settingOf, transmissionOf } from './circumstances.ts';
import type { EffectScene } from './effects.ts';
import { lowerLateFlag } from './late-flag.ts';

/** Whether a settled case runs other clocks than its Task shows, although no transition was taken. */
export function clocksDiffer(task: CaseTask, state: CaseState, facts: Facts): boolean {
  const wanted = new Set(runningClocks(state, facts));
  const running = runningOf(task);
  if (running.length !== wanted.size || running.some(({ name }) => !wanted.has(name))) return true;
  return running.some((clock) => isPausing(clock.name, facts) !== (clock.pausedSince !== undefined));
}

/** @param before the case before the transition. @returns the Task with its clocks as they are now. */
export async function keepClocks(
  before: CaseTask,
  task: CaseTask,
  decision: Decision,
  scene: EffectScene,
): Promise<CaseTask> {
  const { tx, now } = scene;
  const { tenant } = tx.context;
  const { facts } = decision;
  const wanted = new Set(runningClocks(decision.state, facts));
  const recount = decision.steps.some(({ event }) => recounting.has(event));
  const renewed = renewedBy(before, decision, scene);
  const choose = chooser(task, scene);

  const shown = clocksOf(task);
  const kept: CaseClock[] = [];
  const stopped: CaseClock[] = [];
  for (const clock of shown) {
    if (clock.stopped !== undefined) kept.push(clock);
    else if (!wanted.has(clock.name) || renewed.has(clock.name)) stopped.push(stop(clock, now));
    else {
      wanted.delete(clock.name);
      kept.push(withPause(recount ? await recounted(clock, choose, task, scene) : clock, facts, now));
    }
  }
  await dropPlans(
    tx.sql,
    tenant,
    task.id,
    stopped.filter(({ name }) => !wanted.has(name)).map(({ name }) => name),
  );
  const begun: CaseClock[] = [];
  for (const name of wanted) {
    const at = name === 'interpretation' ? transmissionOf(task, { ...scene.view, facts }, now) : now;
    const { clock, chosen } = await choose(name, at);
    await storePlan(tx.sql, tenant, row(task, clock), planOf(clock.started, clock.due, chosen.term), now);
    begun.push(withPause(clock, facts, now));
  }
  const changed = begun.length + stopped.length > 0 || kept.some((clock) => !shown.includes(clock));
  if (!changed) return task;
  const past = stopped.filter((clock) => isRemembered(clock) && !(clock.name === 'lease' && renewed.has('lease')));
  const result = withClocks(task, [...kept, ...past, ...begun].sort(byStart));
  await lowerLateFlag(task, result, scene);
  return result;
}

/** Events that change what a clause may ask about: urgency, act, gravity. */
const recounting: ReadonlySet<string> = new Set(['triage', 'complete-exam', 'declare-critical']);

const row = (task: CaseTask, { name, due }: CaseClock) => ({ caseId: task.id, name, dueAt: due });
const byStart = (a: CaseClock, b: CaseClock): number => a.started.getTime() - b.started.getTime();

/** A lease is renewed by every sign of life, and an exam that begins to arrive is waited for anew. */
function renewedBy(before: CaseTask, decision: Decision, { actor, now }: EffectScene): Set<ClockName> {
  const names = new Set<ClockName>();
  const lease = runningOf(before).find(({ name }) => name === 'lease');
  const byOwner = actor.kind !== 'system' && actor.reference === before.owner?.reference;
  if (lease !== undefined && byOwner && now.getTime() - lease.started.getTime() >= renewAfterMs) names.add('lease');
  if (decision.state === 'acquiring' && stateOf(before) !== 'acquiring') names.add('images');
  return names;
}

/** Signs of life come with every keystroke that is saved: one a minute is written. */
const renewAfterMs = 60_000;

/** The reading's net clock rests while the establishment owes an answer; the legal one does not. */
function isPausing(name: ClockName, facts: Facts): boolean {
  return name === 'interpretation' && facts.question;
}

function withPause(clock: CaseClock, facts: Facts, now: Date): CaseClock {
  const pausing = isPausing(clock.name, facts);
  if (pausing === (clock.pausedSince !== undefined)) return clock;
  return pausing ? { ...clock, pausedSince: now } : withoutPause(clock, now);
}

function withoutPause(clock: CaseClock, now: Date): CaseClock {
  const { pausedSince, ...rest } = clock;
  if (pausedSince === undefined) return clock;
  return { ...rest, pausedMs: clock.pausedMs + (now.getTime() - pausedSince.getTime()) };
}

function stop(clock: CaseClock, now: Date): CaseClock {
  return { ...withoutPause(clock, now), stopped: now, late: now > clock.due };
}

/** What the contract counts, and whatever was late; a lease that was kept leaves no trace. */
const isRemembered = ({ name, late }: CaseClock): boolean => late || (name !== 'lease' && name !== 'expiry');

type Choose = (name: ClockName, started: Date) => Promise<{ clock: CaseClock; chosen: ChosenTerm }>;

/** Reads contract and acts at the first clock that starts, once. */
function chooser(task: CaseTask, { tx, view }: EffectScene): Choose {
  let terms: Terms[] | undefined;
  let acts: ActCode[] | undefined;
  const urgency = task.priority === 'routine' ? 'routine' : 'urgent';
  return async (name, started) => {
    terms ??= await agreedTerms(tx, idOf(task.requester, 'Organization'), view.settings);
    acts ??= await actsOf(tx, task);
    const { timeZone, holidays } = view.settings.delays;
    const findings = name === 'critical' ? await criticalCategoriesOf(tx, task) : [];
    const of = { clock: name, started, acts: [...acts, ...findings], urgency, setting: settingOf(task) } as const;
    const chosen = chooseTerm(terms, of, { timeZone, holidays });
    const { term, calendar, why } = chosen;
    const due = dueAt(term.delay, started, calendar);
    const where = term.contract === undefined ? {} : { contract: term.contract };
    return { clock: { name, started, due, rule: term.rule, ...where, why, late: false, pausedMs: 0 }, chosen };
  };
}

/** The same start under the clause that applies now; what was told stays told unless it falls due anew. */
async function recounted(
  clock: CaseClock,
  choose: Choose,
  task: CaseTask,
  { tx, now }: EffectScene,
): Promise<CaseClock> {
  const { clock: anew, chosen } = await choose(clock.name, clock.started);
  if (anew.due.getTime() === clock.due.getTime() && anew.rule === clock.rule && anew.contract === clock.contract)
    return clock;
  const { tenant } = tx.context;
  const before = await readPlan(tx.sql, tenant, task.id, clock.name);
  const plan = replan(before, planOf(anew.started, anew.due, chosen.term), now);
  await storePlan(tx.sql, tenant, row(task, anew), plan, now);
  const { rule, contract: _old, ...rest } = clock;
  const where = anew.contract === undefined ? {} : { contract: anew.contract };
  return {
    ...rest,
    due: anew.due,
    rule: anew.rule || rule,
    ...where,
    why: anew.why,
    late: clock.late && anew.due <= now,
  };
}
