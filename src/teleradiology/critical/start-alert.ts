/** Effect of `declare-critical`: the alert begins, or takes up one more finding and begins anew (WF-9). */
import { FhirError } from '../../fhir/index.ts';
import { type CaseTask, withOutputReference } from '../shell/case-task.ts';
import { latestChild } from '../shell/latest-child.ts';
import type { EffectScene } from '../shell/scene.ts';
import { alertOf, isOpenAlert, newAlert, withFinding } from './alert-task.ts';
import { isCriticalCategory, morePressing } from './category.ts';
import { criticalRecipients } from './recipients.ts';
import { endRounds } from './rounds.ts';
import { tellAlert } from './tell-alert.ts';

/** @throws FhirError 422 for a category that is none. */
export async function startAlert(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, now, actor, input, view, writes } = scene;
  const finding = input.finding?.trim() ?? '';
  const category = input.criticalCategory ?? 'immediate';
  if (!isCriticalCategory(category))
    throw FhirError.of(422, [
      {
        severity: 'error',
        code: 'code-invalid',
        details: { text: 'La catégorie est « immediate », « hours » ou « days ».' },
        diagnostics: 'unknown category of critical result',
        expression: ["Parameters.parameter.where(name = 'category')"],
      },
    ]);
  const open = await latestChild(tx, task, 'alert');
  const known = open && isOpenAlert(open) ? alertOf(open) : undefined;
  if (open !== undefined && known !== undefined) {
    await endRounds(tx, open);
    const { output: _told, ...anew } = withFinding(open, finding, morePressing(known.category, category));
    await tellAlert(task, anew, scene);
    return task;
  }
  const recipients = await criticalRecipients(tx, task, view.settings);
  const by = { reference: actor.reference, display: actor.display };
  const child = newAlert(task, { findings: [finding], category, declaredAt: now, recipients }, by);
  await writes.create(tx, child);
  await tellAlert(task, child, scene);
  return withOutputReference(task, 'alert', `Task/${child.id}`);
}
