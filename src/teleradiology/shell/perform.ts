/** One transition of a stored case: lock, read, gather, decide, carry out, store. The only way a case changes (design §5 rule 4). */
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import {
  type CaseActor,
  type CaseEvent,
  type CaseState,
  type Decision,
  decide,
  type Facts,
  type Milestone,
  settleFrom,
} from '../case/index.ts';
import type { Room } from '../room.ts';
import { type CaseTask, isTaskOf, stateOf, withMilestones, withState } from './case-task.ts';
import type { CaseView } from './case-view.ts';
import { carryOut } from './effects.ts';
import { gatherFacts } from './gather-facts.ts';
import { clocksDiffer, keepClocks } from './keep-clocks.ts';
import { keepOwed } from './kind-facts.ts';
import { refuseOutsider } from './outsider.ts';
import { leaveProvenance } from './provenance.ts';
import { refusalError } from './refusal.ts';
import type { Refusals } from './refusals.ts';
import type { EffectScene, Given } from './scene.ts';
import type { TaskWrites } from './task-writes.ts';

/** The rooms, and the memory of which Tasks the machine wrote. */
export interface Shell extends Room {
  writes: TaskWrites;
  refusals: Refusals;
}

export interface Transitioning {
  /** `settle` takes no event: facts changed by themselves. */
  event: CaseEvent | 'settle';
  /** The platform acts by itself, whoever's request it runs in. */
  bySystem?: true;
  input?: Given;
  /** Facts that the caller knows better than the stored resources. */
  facts?: Partial<Facts>;
  /** What the event brings into the Task, before the effects. */
  change?: (task: CaseTask, view: CaseView) => CaseTask | Promise<CaseTask>;
  /** The same after facts were gathered and the transition was found legal, last before the Task is stored. */
  finish?: (task: CaseTask, decision: Decision) => CaseTask | Promise<CaseTask>;
  /** Times of milestones that are not "now". */
  times?: Partial<Record<Milestone, Date>>;
  ifMatch?: string;
}

export const systemActor: CaseActor & { display: string } = {
  reference: 'Device/passerelle',
  display: 'Passerelle',
  roles: ['system'],
  kind: 'system',
};

/** Who acts, as the machine sees it. */
export function actorOf(tx: FhirTransaction): CaseActor & { display: string } {
  const { reference, display, roles, kind } = tx.context.actor;
  return { reference, display, roles, kind };
}

/** @throws FhirError 404 when there is no such case, 412 when the version is not the one expected. */
export async function readCase(
  tx: FhirTransaction,
  id: string,
  ifMatch?: string,
): Promise<{ task: CaseTask; state: CaseState }> {
  await tx.lock(`case:${id}`);
  const task = (await tx.read('Task', id)) as CaseTask;
  const state = isTaskOf(task, 'teleradiology-case') ? stateOf(task) : undefined;
  if (state === undefined) throw new FhirError(404, 'not-found', `Task/${id} n'est pas un dossier de téléradiologie.`);
  const wanted = ifMatch?.replace(/^W\//, '').replaceAll('"', '').trim();
  if (wanted !== undefined && wanted !== task.meta?.versionId)
    throw new FhirError(412, 'conflict', `Le dossier a changé : version ${task.meta?.versionId}, attendue ${wanted}.`);
  return { task, state };
}

/** @throws FhirError with the guard's name when the transition is not legal. */
export async function perform(shell: Shell, tx: FhirTransaction, id: string, call: Transitioning): Promise<CaseTask> {
  const { task, state } = await readCase(tx, id, call.ifMatch);
  return transition(shell, tx, task, state, call);
}

/** The same on a Task already read and locked. */
export async function transition(
  shell: Shell,
  tx: FhirTransaction,
  stored: CaseTask,
  state: CaseState,
  call: Transitioning,
): Promise<CaseTask> {
  if (!call.bySystem && call.event !== 'settle') refuseOutsider(tx, stored);
  const now = tx.context.now();
  const actor = call.bySystem ? systemActor : actorOf(tx);
  const view = await gatherFacts(tx, stored, now);
  view.facts = { ...view.facts, ...call.facts, input: call.input ?? {} };
  const decision = decideOn(shell, tx, stored.id, state, call.event, actor, view.facts);
  if (
    call.event === 'settle' &&
    decision.steps.length === 0 &&
    decision.effects.length + decision.milestones.length === 0 &&
    !clocksDiffer(stored, decision.state, decision.facts)
  )
    return stored;
  view.facts = decision.facts;
  const changed = call.change ? await call.change(stored, view) : stored;
  const scene: EffectScene = { room: shell, writes: shell.writes, tx, actor, view, input: call.input ?? {}, now };
  const written = await shell.writes.update(tx, await applied(changed, decision, scene, call));
  const events = decision.steps.map((step) => step.event);
  await leaveProvenance(tx, written, { events, actor, given: scene.input, platform: view.settings.platform });
  return written;
}

/** The Task as the decision leaves it; its effects have been carried out. */
export async function applied(
  task: CaseTask,
  decision: Decision,
  scene: EffectScene,
  call: Pick<Transitioning, 'times' | 'finish'>,
): Promise<CaseTask> {
  const { view, now } = scene;
  const links = view.studies;
  const known: Partial<Record<Milestone, Date>> = {
    ...(links.length > 0 ? { 'first-image': new Date(Math.min(...links.map((link) => link.firstAt.getTime()))) } : {}),
    ...(links.length > 0
      ? { 'images-received': new Date(Math.max(...links.map((link) => link.lastAt.getTime()))) }
      : {}),
    ...call.times,
  };
  const passed = new Map(decision.milestones.map((milestone) => [milestone, known[milestone] ?? now]));
  let result = withMilestones(withState(task, decision.state), passed);
  for (const effect of decision.effects) result = await carryOut(effect, result, scene);
  result = keepOwed(result, decision.facts);
  result = { ...(await keepClocks(task, result, decision, scene)), lastModified: now.toISOString() };
  return call.finish ? call.finish(result, decision) : result;
}

/** @throws FhirError when refused; the refusal is recorded. */
export function decideOn(
  shell: Shell,
  tx: FhirTransaction,
  caseId: string,
  state: CaseState,
  event: CaseEvent | 'settle',
  actor: CaseActor,
  facts: Facts,
): Decision {
  if (event === 'settle') return settleFrom(state, facts);
  const result = decide(state, event, actor, facts);
  if ('refusal' in result) {
    shell.refusals.record(tx.context, caseId, event, state, result.refusal);
    throw refusalError(result.refusal, state);
  }
  return result.decision;
}
