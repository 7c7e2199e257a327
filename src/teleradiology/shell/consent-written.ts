/** A refusal of remote reading, or a withdrawal, that comes while a case is open is told at once (WF-12). */
import type { Communication, Consent } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { openStates } from '../case/index.ts';
import { codeSystem } from '../codes.ts';
import { isPlainWrite } from '../talk/index.ts';
import { type CaseTask, stateOf } from './case-task.ts';
import { communication, responsible } from './communication.ts';
import { concerns, isAboutReading, isRefusal, isWithdrawn } from './consent.ts';

/** Whoever reads an open case of this patient learns at once that the patient does not want it. */
export async function consentWritten(change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as Consent | undefined;
  const after = change.after as Consent | undefined;
  refuseOtherPerson(before, after, tx);
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

/** What somebody agreed to or refused is not made another's word; only the decision about a merge takes it along. */
function refuseOtherPerson(before: Consent | undefined, after: Consent | undefined, tx: FhirTransaction): void {
  if (before === undefined || !isAboutReading(before) || !isPlainWrite(tx.context.interaction)) return;
  if (tx.changes.some(({ type }) => type === 'DetectedIssue')) return;
  const about = (consent: Consent | undefined): string =>
    JSON.stringify([consent?.patient?.reference, consent?.category, consent?.identifier]);
  if (about(before) === about(after)) return;
  throw FhirError.of(422, [
    {
      severity: 'error',
      code: 'business-rule',
      details: { text: 'Un consentement reste celui de son patient et de son dossier : enregistrez-en un autre.' },
      diagnostics: 'a consent keeps its patient, its category and its case, and is not deleted',
      expression: ['Consent.patient'],
    },
  ]);
}
