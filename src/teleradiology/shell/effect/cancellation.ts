/** The site asks to cancel what can only be interrupted now; the reader or the coordinator declines, or interrupts (RRR-WF use case 5). */
import type { Communication } from '@medplum/fhirtypes';
import { type CaseTask, outputsOf, withOutputReference, withoutOutputs } from '../case-task.ts';
import { communication, responsible } from '../communication.ts';
import type { EffectScene } from '../scene.ts';

export async function keepCancellationRequest(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, input, now, view } = scene;
  const asked = await tx.create<Communication>(
    communication(task, {
      category: 'cancellation-request',
      text: `L'établissement demande l'annulation : interrompez le dossier, ou déclinez. Motif : ${input.reason ?? ''}`,
      recipients: await responsible(tx, task, view.settings),
      sent: now,
      urgent: true,
      sender: { reference: actor.reference, display: actor.display },
    }),
  );
  return withOutputReference(task, 'cancellation-request', `Communication/${asked.id}`);
}

export async function declineCancellation(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, input, now } = scene;
  const asked = outputsOf(task, 'cancellation-request').flatMap((each) => each.valueReference?.reference ?? []);
  await tx.create<Communication>({
    ...communication(task, {
      category: 'cancellation-declined',
      text: `L'annulation demandée est déclinée, le dossier sera interprété. Motif : ${input.reason ?? ''}`,
      recipients: task.requester ? [task.requester] : [],
      sent: now,
      sender: { reference: actor.reference, display: actor.display },
    }),
    inResponseTo: asked.map((reference) => ({ reference })),
  });
  return withoutOutputs(task, 'cancellation-request');
}
