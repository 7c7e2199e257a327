/** What a decision means for the images it is about: in view for their case, out of it, or in view for another one. */
import type { DetectedIssue } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { studyLock } from '../../imaging/contract.ts';
import { stateDefinition } from '../case/index.ts';
import { confirmStudy, detach, giveStudy, moveStudy, rejectStudy, tellCase } from '../images/attach.ts';
import { findLink, type StudyLink } from '../images/study-link.ts';
import { announcedStudies, idOf } from '../shell/case-task.ts';
import { readCase, type Shell } from '../shell/perform.ts';
import type { Decided } from './decision.ts';

export async function decideStudies(
  shell: Shell,
  tx: FhirTransaction,
  issue: DetectedIssue,
  decided: Decided,
): Promise<void> {
  const { decision, target } = decided;
  if (target !== undefined) await requireOpen(tx, target);
  for (const identifier of issue.identifier ?? []) {
    const uid = /^urn:oid:(.+)$/.exec(identifier.value ?? '')?.[1];
    if (uid === undefined) continue;
    await tx.lock(studyLock(uid));
    const link = await findLink(tx.sql, tx.context.tenant, uid);
    // Images set apart under the same UID have a lot of their own: the attached ones are not concerned.
    const concerned = issue.implicated?.some((each) => idOf(each, 'ImagingStudy') === link?.imagingStudyId) ?? false;
    if (link === undefined || !concerned) continue;
    if (target !== undefined) {
      await giveStudy(shell, tx, link, target);
      continue;
    }
    if (link.state === 'attached') await decideAttached(shell, tx, issue, link, decision);
    if (link.state !== 'quarantined') continue;
    // Flow 4 of another request took them over meanwhile: what is decided about this case no longer decides about them.
    const cases = (issue.implicated ?? []).flatMap((each) => idOf(each, 'Task') ?? []);
    if (link.caseId !== undefined && cases.length > 0 && !cases.includes(link.caseId)) continue;
    if (decision === 'images-rejected') await rejectStudy(tx, link);
    if (decision === 'identity-confirmed') await confirmStudy(shell, tx, link);
  }
  if (target !== undefined) await tellCase(shell, tx, target);
}

/** @throws FhirError 422 for a case that takes no images any more. */
async function requireOpen(tx: FhirTransaction, caseId: string): Promise<void> {
  const { state } = await readCase(tx, caseId);
  if (state === 'draft' || stateDefinition(state)?.final === true)
    throw new FhirError(
      422,
      'business-rule',
      'Le dossier nommé ne reçoit plus d’images.',
      'DetectedIssue.mitigation.extension',
    );
}

/** Images that are in view already: taken off the case of the problem, or given to it when another one has them. */
async function decideAttached(
  shell: Shell,
  tx: FhirTransaction,
  issue: DetectedIssue,
  link: StudyLink,
  decision: Decided['decision'],
): Promise<void> {
  const caseId = issue.implicated?.flatMap((each) => idOf(each, 'Task') ?? [])[0];
  if (caseId === undefined) return;
  if (decision === 'images-rejected' && link.caseId === caseId) await detach(shell, tx, link);
  if (decision !== 'identity-confirmed' || link.caseId === caseId) return;
  // Only flow 4 can have named this case for images that another one has; never the reverse.
  const announces = async (id: string | undefined): Promise<boolean> => {
    const task = id === undefined ? undefined : await tx.find('Task', id);
    return task !== undefined && announcedStudies(task).includes(link.studyUid);
  };
  if ((await announces(caseId)) && !(await announces(link.caseId))) await moveStudy(shell, tx, link, caseId);
}
