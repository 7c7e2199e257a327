/** Addenda and re-readings of a signed report as child Tasks: opened, taken, given back, closed (WF-7, RP-6). */
import type { Communication } from '@medplum/fhirtypes';
import { withoutDraft } from '../../reading/draft.ts';
import { type CaseTask, outputsOf, withOutput } from '../case-task.ts';
import { changeChild, ended, givenBack, openChild, taken } from '../child-tasks.ts';
import { communication } from '../communication.ts';
import { latestChild } from '../latest-child.ts';
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

/** Another version was signed, or the report stands as it is; the site is told at once (RP-6), and nothing is billed. */
export async function closeAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, input, actor, now } = scene;
  const { version } = input;
  await changeChild(scene, task, item, (child) => {
    const closed = ended(child, 'completed', scene);
    const report = outputsOf(task, 'report')[0]?.valueReference;
    return version === undefined || report === undefined
      ? closed
      : withOutput(closed, 'report', { valueReference: report });
  });
  const what =
    version === undefined
      ? 'Compte rendu relu et maintenu en l’état.'
      : `Compte rendu modifié : la version ${version} annule et remplace la précédente.`;
  await tx.create<Communication>(
    communication(task, {
      category: version === undefined ? 'report-upheld' : 'report-amended',
      text: `${what} Motif : ${input.reason ?? ''}`,
      recipients: task.requester ? [task.requester] : [],
      sent: now,
      urgent: version !== undefined,
      sender: { reference: actor.reference, display: actor.display },
    }),
  );
  return version === undefined ? withoutDraft(tx, task) : task;
}

/** The case turns out to be an error: nothing is added to it any more. */
export async function dropAddendum(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const child = await latestChild(scene.tx, task, item);
  if (child?.status !== 'requested' && child?.status !== 'in-progress') return task;
  await changeChild(scene, task, item, (open) => ended(open, 'cancelled', scene));
  return withoutDraft(scene.tx, task);
}
