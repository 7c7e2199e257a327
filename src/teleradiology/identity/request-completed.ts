/** A request that learns its accession number or its study late (flow 4, a RIS over FHIR) is compared with the others then (ID-2). */
import type { Identifier, ServiceRequest } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { identifierIs } from '../codes.ts';
import { idOf } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';
import { comparison, patientOf } from './at-opening.ts';
import { raiseProblem } from './hold-case.ts';
import { caseOf, sharedAccessions } from './shared-number.ts';

/** Compares the accession numbers that a change of a request brings. */
export async function requestCompleted(
  shell: Shell,
  tx: FhirTransaction,
  before: ServiceRequest,
  after: ServiceRequest,
): Promise<void> {
  const known = new Set((before.identifier ?? []).map(numberOf));
  const brought = (after.identifier ?? []).filter((each) => identifierIs(each, 'ACSN') && !known.has(numberOf(each)));
  const patientId = idOf(after.subject, 'Patient');
  if (brought.length === 0 || after.id === undefined || patientId === undefined) return;
  const shared = await sharedAccessions(tx, { ...after, identifier: brought });
  const task = shared.length === 0 ? undefined : await caseOf(tx, after.id);
  const patient = task === undefined ? undefined : await tx.find('Patient', patientId);
  if (task === undefined || patient === undefined) return;
  for (const { request, task: other } of shared)
    await raiseProblem(shell, tx, {
      code: 'accession-collision',
      detail: "Le numéro d'examen de cette demande est déjà celui de la demande d'un autre patient.",
      cases: [task, ...(other ? [other] : [])],
      ...comparison(patient, await patientOf(tx, request)),
      others: [`ServiceRequest/${request.id}`],
      key: `${task.id}.${request.id}`,
    });
}

const numberOf = ({ system, value }: Identifier): string => `${system ?? ''}|${value ?? ''}`;
