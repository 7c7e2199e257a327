/** Consent to remote reading of one case (docs/fhir-conventions.md, "Consent"): what is recorded, and what a person of the site records. */
import type { Consent, Task } from '@medplum/fhirtypes';
import { systems } from '../fhir/systems.ts';

export type Agreement = 'given' | 'emergency' | 'refused' | 'missing';

export const agreementTexts: Readonly<Record<Agreement, string>> = {
  given: 'Accord du patient enregistré',
  emergency: 'Exception d’urgence enregistrée',
  refused: 'Refus du patient : la lecture à distance est arrêtée',
  missing: 'Aucun accord enregistré',
};

/** The same in a word or two, seen while the panel is folded. */
export const agreementNotes: Readonly<Record<Agreement, string>> = {
  given: 'accord',
  emergency: 'exception d’urgence',
  refused: 'refus',
  missing: 'manque',
};

function concerns(consent: Consent, task: Task): boolean {
  const ours = consent.category.some(({ coding }) => coding?.some(({ system }) => system === systems.consentCategory));
  const cases = consent.identifier?.filter(({ system }) => system === systems.caseNumber) ?? [];
  const number = caseNumberOf(task);
  return ours && (cases.length === 0 || cases.some(({ value }) => value === number));
}

const caseNumberOf = (task: Task): string | undefined =>
  task.identifier?.find(({ system }) => system === systems.caseNumber)?.value;

const isRefusal = (consent: Consent): boolean =>
  consent.status === 'rejected' || (consent.status === 'active' && consent.provision?.type === 'deny');

/** The same reading of the Consents as the server's, a refusal first. */
export function agreementOf(task: Task, all: readonly Consent[]): Agreement {
  const consents = all.filter((consent) => concerns(consent, task));
  if (consents.some(isRefusal)) return 'refused';
  const active = consents.filter(({ status }) => status === 'active');
  if (active.length === 0)
    return consents.some(({ status, provision }) => status === 'inactive' && provision?.type !== 'deny')
      ? 'refused'
      : 'missing';
  const isGiven = active.some(({ category }) => category.some(({ coding }) => coding?.[0]?.code === 'remote-reading'));
  return isGiven ? 'given' : 'emergency';
}

const policies: Readonly<Record<'given' | 'emergency' | 'refused', string>> = {
  given: 'Patient informé de la lecture à distance ; accord recueilli par l’établissement.',
  emergency: 'Exception d’urgence : l’accord du patient n’a pas pu être recueilli.',
  refused: 'Patient informé de la lecture à distance ; refus, ou retrait de son accord.',
};

/** What somebody of the site records for this case. */
export function newConsent(task: Task, agreement: 'given' | 'emergency' | 'refused', at: Date): Consent {
  const code = agreement === 'emergency' ? 'emergency-exception' : 'remote-reading';
  const number = caseNumberOf(task);
  return {
    resourceType: 'Consent',
    ...(number ? { identifier: [{ system: systems.caseNumber, value: number }] } : {}),
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'treatment' }] },
    category: [{ coding: [{ system: systems.consentCategory, code }] }],
    ...(task.for ? { patient: task.for as NonNullable<Consent['patient']> } : {}),
    dateTime: at.toISOString(),
    ...(task.requester ? { organization: [task.requester as NonNullable<Consent['organization']>[number]] } : {}),
    policyRule: { text: policies[agreement] },
    ...(agreement === 'refused' ? { provision: { type: 'deny' } } : {}),
  };
}
