/** A recorded merge takes the case along: it is read under the identity that survives (RNIV; IHE PAM A40). */
import type { DiagnosticReport, ImagingStudy, Reference, ServiceRequest } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { type CaseTask, idOf, outputsOf } from '../shell/case-task.ts';
import { carryRefusals } from '../shell/consent.ts';
import { readCase, type Shell } from '../shell/perform.ts';
import { survivor } from './survivor.ts';

/** Puts the case under the patient that survives the merge. @throws FhirError 422 when none is known. */
export async function recordMerge(shell: Shell, tx: FhirTransaction, caseId: string): Promise<void> {
  const { task } = await readCase(tx, caseId);
  const from = idOf(task.for, 'Patient');
  const to = from === undefined ? undefined : (await survivor(tx, from))?.id;
  if (to === undefined)
    throw new FhirError(
      422,
      'business-rule',
      "Aucune identité ne remplace celle-ci (Patient.link « replaced-by ») : confirmez l'identité, ou corrigez la fusion.",
      'DetectedIssue.mitigation.action',
    );
  const subject = { reference: `Patient/${to}` };
  if (from !== undefined) await carryRefusals(tx, from, to);
  // The case first: its request may only change patient when the case did (shell/guard-writes.ts).
  await shell.writes.update(tx, { ...task, for: subject });
  await moveChildren(shell, tx, caseId, { from: `Patient/${from}`, subject });
  await moveRequest(tx, idOf(task.focus, 'ServiceRequest'), subject);
  for (const { valueReference } of outputsOf(task, 'imaging-study'))
    await moveStudy(tx, idOf(valueReference, 'ImagingStudy'), subject);
  for (const { valueReference } of [...outputsOf(task, 'report'), ...outputsOf(task, 'draft')])
    await moveDraft(tx, idOf(valueReference, 'DiagnosticReport'), subject);
  for (const { valueReference } of outputsOf(task, 'consent')) {
    const id = idOf(valueReference, 'Consent');
    const consent = id === undefined ? undefined : await tx.find('Consent', id);
    if (consent !== undefined) await tx.update({ ...consent, patient: subject });
  }
}

/** All of them, a page at a time: what was moved is not found again. A case of a long night has more children than one page. */
async function moveChildren(
  shell: Shell,
  tx: FhirTransaction,
  caseId: string,
  { from, subject }: { from: string; subject: Reference },
): Promise<void> {
  for (;;) {
    const left = (await tx.search('Task', `part-of=Task/${caseId}&patient=${from}`)) as CaseTask[];
    if (left.length === 0) return;
    for (const child of left) await shell.writes.update(tx, { ...child, for: subject });
  }
}

async function moveRequest(tx: FhirTransaction, id: string | undefined, subject: Reference): Promise<void> {
  const request = id === undefined ? undefined : await tx.find('ServiceRequest', id);
  if (request !== undefined) await tx.update({ ...request, subject: subject as ServiceRequest['subject'] });
}

async function moveStudy(tx: FhirTransaction, id: string | undefined, subject: Reference): Promise<void> {
  const study = id === undefined ? undefined : await tx.find('ImagingStudy', id);
  if (study !== undefined) await tx.update({ ...study, subject: subject as ImagingStudy['subject'] });
}

/** A signed report stays what was signed: only one still being written moves. */
async function moveDraft(tx: FhirTransaction, id: string | undefined, subject: Reference): Promise<void> {
  const report = id === undefined ? undefined : await tx.find('DiagnosticReport', id);
  if (report?.status === 'partial' || report?.status === 'preliminary')
    await tx.update({ ...report, subject: subject as DiagnosticReport['subject'] });
}
