/**
 * Consent to remote reading (WF-12), as FHIR Consent: given, refused, withdrawn, or the exception of an emergency. The machine asks for it at
 * every claim and every signature.
 */
import type { Consent, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Facts } from '../case/index.ts';
import { codeOf, codeSystem, identifierSystem } from '../codes.ts';

/** For this case, or for the patient in general; a refusal wins over anything that was agreed to. */
export async function consentOf(tx: FhirTransaction, task: Task): Promise<Facts['consent']> {
  const patient = task.for?.reference;
  if (patient === undefined) return 'missing';
  const consents = (await tx.search('Consent', `patient=${patient}`)).filter((consent) => concerns(consent, task));
  if (consents.some(isRefusal)) return 'refused';
  const active = consents.filter((consent) => consent.status === 'active');
  if (active.length === 0) return consents.some(isWithdrawn) ? 'refused' : 'missing';
  return active.some((consent) => categoryOf(consent) === 'remote-reading') ? 'given' : 'emergency';
}

/** Rejected, or a standing prohibition. */
export function isRefusal({ status, provision }: Consent): boolean {
  return status === 'rejected' || (status === 'active' && provision?.type === 'deny');
}

/** What was agreed to holds no longer. */
export function isWithdrawn(consent: Consent): boolean {
  return consent.status === 'inactive' && consent.provision?.type !== 'deny';
}

const categoryOf = (consent: Consent): string | undefined =>
  consent.category.map((each) => codeOf(each, codeSystem.consentCategory)).find((code) => code !== undefined);

/** A consent recorded with another case says nothing about this one. */
export function concerns(consent: Consent, task: Task): boolean {
  if (categoryOf(consent) === undefined) return false;
  const cases = consent.identifier?.filter((each) => each.system === identifierSystem.caseNumber) ?? [];
  const number = task.identifier?.find((each) => each.system === identifierSystem.caseNumber)?.value;
  return cases.length === 0 || cases.some((each) => each.value === number);
}
