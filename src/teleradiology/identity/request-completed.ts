/** A request that learns its accession number or its study late (flow 4, a RIS over FHIR) is compared with the others then (ID-2). */
import type { Identifier, ServiceRequest } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { identifierIs } from '../codes.ts';
import { idOf } from '../shell/case-task.ts';
import type { Shell } from '../shell/perform.ts';
import { problemsOf } from './doubt.ts';
import { raiseProblem } from './hold-case.ts';
import { accessionDoubts } from './same-accession.ts';
import { caseOf } from './shared-number.ts';

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
  const task = await caseOf(tx, after.id);
  const patient = task === undefined ? undefined : await tx.find('Patient', patientId);
  if (task === undefined || patient === undefined) return;
  for (const doubt of await accessionDoubts(tx, { ...after, identifier: brought }, patient))
    for (const problem of problemsOf(task, doubt)) await raiseProblem(shell, tx, problem);
}

const numberOf = ({ system, value }: Identifier): string => `${system ?? ''}|${value ?? ''}`;
