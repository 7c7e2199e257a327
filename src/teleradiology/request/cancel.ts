/** Flow 2: cancellation of a request, possible until flow 4 (national volume). */
import type { Identifier, Patient, Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import type { IncomingCancellation } from '../contract.ts';
import { sharesNumber } from '../identity/patient.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import { perform, type Shell } from '../shell/perform.ts';
import { caseOfPlacer } from './open-case.ts';

export async function cancelRequest(
  shell: Shell,
  tx: FhirTransaction,
  cancellation: IncomingCancellation,
  establishmentId: string,
): Promise<Task> {
  const task = await knownCase(tx, cancellation.placer, cancellation.patient, establishmentId);
  return perform(shell, tx, task.id, { event: 'cancel', input: { reason: cancellation.reason } });
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
