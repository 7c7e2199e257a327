/** Who must hear a critical result, in order (workflow §7): who asked for the exam, those the establishment names, the establishment itself. */
import type { Reference } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { EstablishmentSettings } from '../settings.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';

/** Kinds of party a Task can name. */
const nameable = /^(Practitioner|PractitionerRole|Organization)\//;

/**
 * The establishment's own list is its setting `criticalRecipient`, repeated: the ward, the physician on call, the coordinator of the site. A
 * requester known by a role is told as the person who holds it, too: both have mailboxes.
 */
export async function criticalRecipients(
  tx: FhirTransaction,
  task: CaseTask,
  settings: EstablishmentSettings,
): Promise<Reference[]> {
  const requestId = idOf(task.focus, 'ServiceRequest');
  const request = requestId === undefined ? undefined : await tx.find('ServiceRequest', requestId);
  const all = [request?.requester?.reference, ...settings.criticalRecipients, task.requester?.reference];
  const references = all.flatMap((reference) => (reference && nameable.test(reference) ? [reference] : []));
  return [...new Set(references)].map((reference) => ({ reference }));
}
