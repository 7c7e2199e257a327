/** The act to be billed: one ChargeItem, made by the first signature alone (WF-7), taken back when the case was an error. */
import type { ChargeItem, Coding } from '@medplum/fhirtypes';
import { codeSystem, identifierSystem } from '../../codes.ts';
import { ccamOf, readPublished } from '../../reading/draft.ts';
import { type CaseTask, idOf, inputsOf, outputsOf, withOutputReference } from '../case-task.ts';
import type { EffectScene } from '../scene.ts';

export async function chargeAct(task: CaseTask, scene: EffectScene): Promise<CaseTask> {
  const { tx, actor, now, view } = scene;
  const report = await readPublished(tx, task);
  const ccam = ccamOf(report);
  const done = inputsOf(task, 'act').flatMap((each) => each.valueCodeableConcept?.coding ?? []);
  const coding: Coding[] = ccam ? [{ ...ccam, system: ccam.system ?? codeSystem.ccam }] : done;
  const charge = await tx.create<ChargeItem>({
    resourceType: 'ChargeItem',
    identifier: task.identifier?.filter((each) => each.system === identifierSystem.caseNumber),
    // Without the act that the radiologist validated nobody can bill it yet.
    status: ccam ? 'billable' : 'planned',
    code: coding.length > 0 ? { coding } : { text: 'Acte à coder' },
    subject: task.for as ChargeItem['subject'],
    occurrenceDateTime: now.toISOString(),
    performer: [{ actor: { reference: actor.reference, display: actor.display } }] as ChargeItem['performer'],
    ...(view.settings.platform ? { performingOrganization: { reference: view.settings.platform } } : {}),
    ...(task.requester ? { requestingOrganization: task.requester as ChargeItem['requestingOrganization'] } : {}),
    enteredDate: now.toISOString(),
    ...(report ? { service: [{ reference: `DiagnosticReport/${report.id}` }] } : {}),
    supportingInformation: [{ reference: `Task/${task.id}` }],
  });
  return withOutputReference(task, 'charge', `ChargeItem/${charge.id}`);
}

export async function reverseCharge(task: CaseTask, { tx }: EffectScene): Promise<CaseTask> {
  for (const output of outputsOf(task, 'charge')) {
    const id = idOf(output.valueReference, 'ChargeItem');
    const charge = id === undefined ? undefined : await tx.find('ChargeItem', id);
    if (charge !== undefined) await tx.update<ChargeItem>({ ...charge, status: 'entered-in-error' });
  }
  return task;
}
