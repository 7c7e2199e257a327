/** A case that turns out to be an error needs two people: one declares it, another of the quality service confirms (workflow §2, state 19). */
import type { Communication, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { readPublished, withoutDraft } from '../../reading/draft.ts';
import { type CaseTask, idOf, outputsOf, stateOf, withOutput, withoutOutputs } from '../case-task.ts';
import { communication, coordinators } from '../communication.ts';
import type { EffectScene } from '../scene.ts';

/** Who declares it is kept in the case itself, which nobody but the machine writes. A later declaration takes the place of an earlier one. */
export async function keepErrorDeclaration(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, input, now, view } = scene;
  await tx.create<Communication>(
    communication(task, {
      category: 'error-declared',
      text: `Ce dossier est déclaré erroné, une seconde personne doit le confirmer. Motif : ${input.reason ?? ''}`,
      recipients: await coordinators(tx, task, view.settings),
      sent: now,
      urgent: true,
      sender: { reference: actor.reference, display: actor.display },
    }),
  );
  return withOutput(withoutOutputs(task, 'error-declaration'), 'error-declaration', {
    valueReference: { reference: actor.reference, display: actor.display },
  });
}

/** Who declared the case an error. */
export function errorDeclaredBy(task: CaseTask): string | undefined {
  return outputsOf(task, 'error-declaration')[0]?.valueReference?.reference;
}

/** Report and documents of an error say so; those of an interrupted reading are given up. Nothing is deleted but what nobody published. */
export async function withdrawReport(task: CaseTask, { tx }: EffectScene): Promise<CaseTask> {
  const isError = stateOf(task) === 'entered-in-error';
  const report = await readPublished(tx, task);
  if (report !== undefined)
    await tx.update<DiagnosticReport>({ ...report, status: isError ? 'entered-in-error' : 'cancelled' });
  for (const output of outputsOf(task, 'document')) {
    const id = idOf(output.valueReference, 'DocumentReference');
    const document = id === undefined ? undefined : await tx.find('DocumentReference', id);
    if (document !== undefined) await tx.update<DocumentReference>({ ...document, status: 'entered-in-error' });
  }
  return withoutDraft(tx, task);
}
