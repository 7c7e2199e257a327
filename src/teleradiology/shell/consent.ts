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
  if (active.some((consent) => categoryOf(consent) === 'remote-reading')) return 'given';
  // Who withdrew could speak: the exception of an emergency is for who cannot.
  if (consents.some(isWithdrawn)) return 'refused';
  return active.length > 0 ? 'emergency' : 'missing';
}

/**
 * What the patient refused or withdrew under an identity that was merged is told of the one that remains, too. A copy: other cases may still
 * be under the former.
 */
export async function carryRefusals(tx: FhirTransaction, from: string, to: string): Promise<void> {
  const refusals = (await tx.search('Consent', `patient=Patient/${from}`)).filter(
    (consent) => categoryOf(consent) !== undefined && (isRefusal(consent) || isWithdrawn(consent)),
  );
  const known = await tx.search('Consent', `patient=Patient/${to}`);
  for (const { id, meta: _meta, sourceAttachment: _scan, ...said } of refusals) {
    const sourceReference = { reference: `Consent/${id}` } as Consent['sourceReference'];
    if (known.some((each) => each.sourceReference?.reference === sourceReference?.reference)) continue;
    const patient = { reference: `Patient/${to}` } as Consent['patient'];
    await tx.create<Consent>({ ...said, patient, sourceReference });
  }
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

/** Consent to remote reading, or the exception to it; not somebody else's kind of consent. */
export const isAboutReading = (consent: Consent): boolean => categoryOf(consent) !== undefined;

/** A consent recorded with another case says nothing about this one. */
export function concerns(consent: Consent, task: Task): boolean {
  if (categoryOf(consent) === undefined) return false;
  const cases = consent.identifier?.filter((each) => each.system === identifierSystem.caseNumber) ?? [];
  const number = task.identifier?.find((each) => each.system === identifierSystem.caseNumber)?.value;
  return cases.length === 0 || cases.some((each) => each.value === number);
}
