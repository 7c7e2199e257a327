/** A refusal of remote reading, or a withdrawal, that comes while a case is open is told at once (WF-12). */
import type { Communication, Consent } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { openStates } from '../case/index.ts';
import { codeSystem } from '../codes.ts';
import { type CaseTask, stateOf } from './case-task.ts';
import { communication, responsible } from './communication.ts';
import { concerns, isRefusal, isWithdrawn } from './consent.ts';

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
