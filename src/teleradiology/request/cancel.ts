/** Flow 2: cancellation of a request, possible until flow 4 (national volume). */
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { decide } from '../case/index.ts';
import type { Cancelled, IncomingCancellation } from '../contract.ts';
import { sharesNumber } from '../identity/patient.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import { gatherFacts } from '../shell/gather-facts.ts';
import { actorOf, readCase, type Shell, transition } from '../shell/perform.ts';
import { caseOfPlacer } from './open-case.ts';

/** What an establishment that gives no reason is understood to say. */
const unsaidReason = 'Annulation demandée par le logiciel de l’établissement.';

/**
 * Once the exam is done the request cannot be cancelled any more: that the establishment asks is kept, and whoever reads it answers.
 * @throws FhirError 422 when it can be neither cancelled nor asked for.
 */
export async function cancelRequest(
  shell: Shell,
  tx: FhirTransaction,
  cancellation: IncomingCancellation,
  establishmentId: string,
): Promise<Cancelled> {
  const { id } = await knownCase(tx, cancellation.placer, cancellation.patient, establishmentId);
  const { task, state } = await readCase(tx, id);
  const { facts } = await gatherFacts(tx, task, tx.context.now());
  const given = { ...facts, input: { reason: cancellation.reason ?? unsaidReason } };
  const cancelling = decide(state, 'cancel', actorOf(tx), given);
  const canAsk = 'decision' in decide(state, 'ask-cancellation', actorOf(tx), given);
  if ('decision' in cancelling || !canAsk)
    return {
      task: await transition(shell, tx, task, state, { event: 'cancel', input: { reason: cancellation.reason } }),
    };
  shell.refusals.record(tx.context, id, 'cancel', state, cancelling.refusal);
  return {
    task: await transition(shell, tx, task, state, { event: 'ask-cancellation', input: given.input }),
    refused: `${cancelling.refusal.text} La demande d’annulation est transmise au radiologue, qui répondra.`,
  };
}

/**
 * The case of a placer number that this establishment gave for this patient.
 * @throws FhirError 404 unknown number, 422 the number of another patient.
 */
export async function knownCase(
  tx: FhirTransaction,
  placer: Identifier,
  patient: Patient,
  establishmentId: string,
): Promise<CaseTask> {
  const task = await caseOfPlacer(tx, placer);
  if (task === undefined || idOf(task.requester, 'Organization') !== establishmentId)
    throw new FhirError(
      404,
      'not-found',
      'Aucune demande ne porte ce numéro de demandeur.',
      'ServiceRequest.identifier',
    );
  const known = await tx.find('Patient', idOf(task.for, 'Patient') ?? '');
  if (known === undefined || !sharesNumber(known, patient))
    throw new FhirError(
      422,
      'conflict',
      "Ce numéro de demande désigne la demande d'un autre patient.",
      'Patient.identifier',
    );
  return task;
}
