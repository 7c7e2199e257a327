/** A person of identity vigilance decides about a DetectedIssue of ours; the case and the images follow (ID-2). */
import type { DetectedIssue } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { codeOf, codeSystem } from '../codes.ts';
import { confirmStudy, detach, moveStudy, rejectStudy, tellCase } from '../images/attach.ts';
import { findLink, type StudyLink, studyLock } from '../images/study-link.ts';
import { announcedStudies, idOf } from '../shell/case-task.ts';
import { isBlocking, openIssues } from '../shell/gather-facts.ts';
import { perform, readCase, type Shell } from '../shell/perform.ts';

/** Decisions: the images (or the request) are this patient's after all, or the images are not. */
const actions = ['identity-confirmed', 'images-rejected'] as const;

/** Whether this write is about a problem that blocks a case. */
export function isDecided(change: Change): boolean {
  const before = change.before as DetectedIssue | undefined;
  return before !== undefined && isBlocking(before);
}

/** @throws FhirError 403 for whoever is not of identity vigilance, 422 for a decision that is none. */
export async function resolveProblem(shell: Shell, change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as DetectedIssue;
  const after = change.after as DetectedIssue | undefined;
  if (
    after !== undefined &&
    isBlocking(after) &&
    JSON.stringify(after.implicated) === JSON.stringify(before.implicated)
  )
    return;
  if (after === undefined || JSON.stringify(after.implicated) !== JSON.stringify(before.implicated))
    throw new FhirError(
      422,
      'business-rule',
      "Un problème d'identité ouvert se décide ; il ne s'efface pas.",
      'DetectedIssue',
    );
  const { roles } = tx.context.actor;
  if (!roles.includes('quality') && !roles.includes('conformance'))
    throw new FhirError(403, 'forbidden', "La décision revient à l'identitovigilance.", 'DetectedIssue.mitigation');
  const action = after.mitigation
    ?.map((each) => codeOf(each.action, codeSystem.mitigation))
    .find((code) => code !== undefined);
  const decision = after.status === 'entered-in-error' ? 'identity-confirmed' : actions.find((each) => each === action);
  if (decision === undefined)
    throw new FhirError(
      422,
      'business-rule',
      `La décision est l'une de : ${actions.join(', ')}.`,
      'DetectedIssue.mitigation.action',
    );
  if (decision === 'images-rejected' && !before.implicated?.some((each) => idOf(each, 'ImagingStudy') !== undefined))
    throw new FhirError(
      422,
      'business-rule',
      "Ce problème porte sur la demande, non sur des images : confirmez l'identité, ou faites annuler la demande.",
      'DetectedIssue.mitigation.action',
    );
  // Of the problem as we wrote it: a client that leaves out what it does not know must not leave the images behind.
  await decideStudies(shell, tx, before, decision);
  for (const reference of after.implicated ?? []) {
    const caseId = idOf(reference, 'Task');
    if (caseId !== undefined) await releaseCase(shell, tx, caseId);
  }
}

async function decideStudies(
  shell: Shell,
  tx: FhirTransaction,
  issue: DetectedIssue,
  decision: (typeof actions)[number],
): Promise<void> {
  for (const identifier of issue.identifier ?? []) {
    const uid = identifier.value?.replace(/^urn:oid:/, '') ?? '';
    await tx.lock(studyLock(uid));
    const link = await findLink(tx.sql, tx.context.tenant, uid);
    // Images set apart under the same UID have a lot of their own: the attached ones are not concerned.
    const concerned = issue.implicated?.some((each) => idOf(each, 'ImagingStudy') === link?.imagingStudyId) ?? false;
    if (link === undefined || !concerned) continue;
    if (link.state === 'attached') await decideAttached(shell, tx, issue, link, decision);
    if (link.state !== 'quarantined') continue;
    // Flow 4 of another request took them over meanwhile: what is decided about this case no longer decides about them.
    const cases = (issue.implicated ?? []).flatMap((each) => idOf(each, 'Task') ?? []);
    if (link.caseId !== undefined && cases.length > 0 && !cases.includes(link.caseId)) continue;
    if (decision === 'images-rejected') await rejectStudy(tx, link);
    else await confirmStudy(shell, tx, link);
  }
}

/** Images that are in view already: taken off the case of the problem, or given to it when another one has them. */
async function decideAttached(
  shell: Shell,
  tx: FhirTransaction,
  issue: DetectedIssue,
  link: StudyLink,
  decision: (typeof actions)[number],
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

/** A held case goes on when nothing else holds it. */
async function releaseCase(shell: Shell, tx: FhirTransaction, caseId: string): Promise<void> {
  await tellCase(shell, tx, caseId);
  const { state } = await readCase(tx, caseId);
  if ((await openIssues(tx, caseId)).length > 0) return;
  if (state === 'identity-hold') await perform(shell, tx, caseId, { event: 'lift-identity-hold' });
}
