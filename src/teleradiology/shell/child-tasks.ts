/**
 * Child Tasks of a case that somebody takes, does and closes: second readings, re-readings, addenda (WF-7, WF-8). They show FHIR clients what
 * runs beside the state; the machine decides, the shell writes. A case names each in an output, the latest last.
 */
import { randomUUID } from 'node:crypto';
import type { TaskInput } from '@medplum/fhirtypes';
import { type CaseItem, codeSystem, concept, type TaskCode } from '../codes.ts';
import { type CaseTask, withInput, withOutputReference } from './case-task.ts';
import { latestChild } from './latest-child.ts';
import type { EffectScene } from './scene.ts';

export interface NewChild {
  code: TaskCode;
  /** Output of the case that names it. */
  item: CaseItem;
  /** French, what people call it. */
  title: string;
  /** Why it is asked. */
  reason: string | undefined;
  inputs?: readonly (readonly [CaseItem, Omit<TaskInput, 'type'>])[];
}

/** Opens one that waits for somebody. @returns the case that names it. */
export async function openChild(scene: EffectScene, task: CaseTask, child: NewChild): Promise<CaseTask> {
  const now = scene.now.toISOString();
  const bare: CaseTask = {
    resourceType: 'Task',
    id: randomUUID(),
    status: 'requested',
    intent: 'order',
    code: concept(codeSystem.taskCode, child.code, child.title),
    description: child.title,
    ...(child.reason?.trim() ? { reasonCode: { text: child.reason.trim() } } : {}),
    priority: task.priority,
    partOf: [{ reference: `Task/${task.id}` }],
    focus: task.focus,
    for: task.for,
    requester: { reference: scene.actor.reference, display: scene.actor.display },
    authoredOn: now,
    lastModified: now,
  };
  const opened = (child.inputs ?? []).reduce((made, [item, value]) => withInput(made, item, value), bare);
  await scene.writes.create(scene.tx, opened);
  return withOutputReference(task, child.item, `Task/${opened.id}`);
}

/** Stores the latest child of this kind as `change` leaves it; a case without one stays as it is. */
export async function changeChild(
  scene: EffectScene,
  task: CaseTask,
  item: CaseItem,
  change: (child: CaseTask) => CaseTask,
): Promise<void> {
  const child = await latestChild(scene.tx, task, item);
  if (child !== undefined)
    await scene.writes.update(scene.tx, { ...change(child), lastModified: scene.now.toISOString() });
}

/** Somebody does it from now on. */
export function taken(child: CaseTask, { actor, now }: EffectScene): CaseTask {
  return {
    ...child,
    status: 'in-progress',
    owner: { reference: actor.reference, display: actor.display },
    executionPeriod: { start: now.toISOString() },
  };
}

/** It waits for somebody again. */
export function givenBack(child: CaseTask): CaseTask {
  const { owner: _owner, executionPeriod: _period, ...rest } = child;
  return { ...rest, status: 'requested' };
}

/** It is over: done, or no longer wanted. */
export function ended(child: CaseTask, status: 'completed' | 'cancelled', { input, now }: EffectScene): CaseTask {
  return {
    ...child,
    status,
    executionPeriod: { ...child.executionPeriod, end: now.toISOString() },
    ...(input.reason?.trim() ? { statusReason: { text: input.reason.trim() } } : {}),
  };
}
