/**
 * Consent to remote reading (WF-12), as FHIR Consent: given, refused, withdrawn, or the exception of an emergency. The machine asks for it at
 * every claim and every signature; a refusal that comes while a case is open is told at once to whoever reads it.
 */
import type { Communication, Consent, Task } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { type Facts, openStates } from '../case/index.ts';
import { codeOf, codeSystem, identifierSystem } from '../codes.ts';
import { type CaseTask, stateOf } from './case-task.ts';
import { communication, responsible } from './communication.ts';

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
function isRefusal({ status, provision }: Consent): boolean {
  return status === 'rejected' || (status === 'active' && provision?.type === 'deny');
}

/** What was agreed to holds no longer. */
function isWithdrawn(consent: Consent): boolean {
  return consent.status === 'inactive' && consent.provision?.type !== 'deny';
}

const categoryOf = (consent: Consent): string | undefined =>
  consent.category.map((each) => codeOf(each, codeSystem.consentCategory)).find((code) => code !== undefined);

/** A consent recorded with another case says nothing about this one. */
function concerns(consent: Consent, task: Task): boolean {
  if (categoryOf(consent) === undefined) return false;
  const cases = consent.identifier?.filter((each) => each.system === identifierSystem.caseNumber) ?? [];
  const number = task.identifier?.find((each) => each.system === identifierSystem.caseNumber)?.value;
  return cases.length === 0 || cases.some((each) => each.value === number);
}

/** Whoever reads an open case of this patient learns at once that the patient does not want it. */
export async function consentWritten(change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as Consent | undefined;
  const after = change.after as Consent | undefined;
  const against = (consent: Consent | undefined): boolean =>
    consent !== undefined && (isRefusal(consent) || isWithdrawn(consent));
  if (after === undefined || !against(after) || against(before)) return;
  const code = encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`);
  for (const task of await tx.search('Task', `patient=${after.patient?.reference}&code=${code}`)) {
    const state = stateOf(task);
    if (state === undefined || !openStates.includes(state) || !concerns(after, task)) continue;
    await tx.create<Communication>(
      communication(task as CaseTask, {
        category: 'consent-refused',
        text: 'Le patient refuse, ou a retiré son accord à la lecture à distance : la lecture s’arrête. Interrompez le dossier ; l’établissement organise la suite.',
        recipients: await responsible(tx, task as CaseTask),
        sent: tx.context.now(),
        urgent: true,
      }),
    );
  }
}
