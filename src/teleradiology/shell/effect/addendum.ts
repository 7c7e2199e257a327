/** Addenda and re-readings of a signed report as child Tasks: opened, taken, given back, closed (WF-7, RP-6). */
import type { CaseTask } from '../case-task.ts';
import { changeChild, ended, givenBack, latestChild, openChild, taken } from '../child-tasks.ts';
import type { EffectScene } from '../scene.ts';

const item = 'addendum';

/** One that a disagreement of the second reader opens says so. */
export async function openAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { reason, opinion } = scene.input;
  return openChild(scene, task, {
    code: 'addendum',
    item,
    title: 'Additif au compte rendu',
    reason: reason ?? (opinion === undefined ? undefined : `Deuxième lecture discordante : ${opinion}`),
  });
}

export async function openRereading(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  return openChild(scene, task, {
    code: 're-reading',
    item,
    title: 'Relecture à la demande',
    reason: scene.input.reason,
  });
}

export async function takeAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  await changeChild(scene, task, item, (child) => taken(child, scene));
  return task;
}

export async function releaseAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  await changeChild(scene, task, item, (child) => (child.status === 'in-progress' ? givenBack(child) : child));
  return task;
}

/** Another version was signed, or the report stands as it is. */
export async function closeAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  await changeChild(scene, task, item, (child) => ended(child, 'completed', scene));
  return task;
}

/** The case turns out to be an error: nothing is added to it any more. */
export async function dropAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const child = await latestChild(scene.tx, task, item);
  if (child?.status !== 'requested' && child?.status !== 'in-progress') return task;
  await changeChild(scene, task, item, (open) => ended(open, 'cancelled', scene));
  return task;
}
