/** A case that turns out to be an error needs two people: one declares it, another of the quality service confirms (workflow §2, state 19). */
import type { Communication, DiagnosticReport, DocumentReference } from '@medplum/fhirtypes';
import { readPublished, withoutDraft } from '../../reading/draft.ts';
import { type CaseTask, idOf, outputsOf, stateOf, withOutput, withoutOutputs } from '../case-task.ts';
import { communication, coordinators } from '../communication.ts';
import type { EffectScene } from '../scene.ts';

/**
 * Who declares it is kept in the case; a later declaration takes the place of an earlier one. What has not left stays, and whoever could go by
 * what they have already is told at once: waiting for the second person must harm nobody.
 */
export async function keepErrorDeclaration(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, input, room } = scene;
  await room.delivery.hold(tx, `Task/${task.id}`);
  const shown = isShown(scene) ? ' Ne vous fiez pas au compte rendu tant que ce n’est pas décidé.' : '';
  await tell(task, scene, {
    category: 'error-declared',
    text: `Ce dossier est déclaré erroné, une seconde personne doit le confirmer ; rien n’en est signé ni envoyé d’ici là.${shown} Motif : ${input.reason ?? ''}`,
  });
  return withOutput(withoutOutputs(task, 'error-declaration'), 'error-declaration', {
    valueReference: { reference: actor.reference, display: actor.display },
  });
}

/** Taken back: what waited leaves, unless an identity problem holds it too; whoever was warned is told. */
export async function dropErrorDeclaration(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, input, room, view } = scene;
  const { identityProblem, identityDoubt, quarantined, report } = view.facts;
  if (!identityProblem && !quarantined && !(identityDoubt && report === 'final'))
    await room.delivery.release(tx, `Task/${task.id}`);
  await tell(task, scene, {
    category: 'error-withdrawn',
    text: `La déclaration d’erreur est retirée : le dossier reprend, ce qui en a été transmis vaut. Motif : ${input.reason ?? ''}`,
  });
  return withoutOutputs(task, 'error-declaration');
}

/** The site reads a signed report, or one that was shown to it before the signature. */
function isShown({ view: { facts } }: EffectScene): boolean {
  return facts.report === 'final' || facts.milestones.includes('preliminary');
}

/** The coordinators and quality, whoever reads, and the establishment once it has something to go by. */
async function tell(task: CaseTask, scene: EffectScene, what: { category: string; text: string }): Promise<void> {
  const { tx, actor, now, view } = scene;
  const to = [
    ...(await coordinators(tx, task, view.settings)),
    ...(task.owner?.reference ? [{ reference: task.owner.reference }] : []),
    ...(isShown(scene) && task.requester?.reference ? [{ reference: task.requester.reference }] : []),
  ];
  await tx.create<Communication>(
    communication(task, {
      ...what,
      recipients: [...new Map(to.map((each) => [each.reference, each])).values()],
      sent: now,
      urgent: true,
      sender: { reference: actor.reference, display: actor.display },
    }),
  );
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
