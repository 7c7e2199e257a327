/** Images of another identity under the UID of a study: named once per lot, to each establishment what is its own (ID-2). */
import { type FhirTransaction, labelsOf } from '../../fhir/index.ts';
import type { StudyEvent } from '../../imaging/contract.ts';
import { patientOfImages } from '../identity/evidence.ts';
import { raiseProblem } from '../identity/hold-case.ts';
import type { CaseTask } from '../shell/case-task.ts';
import { readCase, type Shell } from '../shell/perform.ts';
import type { StudyLink } from './study-link.ts';

const usedAgain =
  "Des images d'une autre identité ou d'une autre provenance sont arrivées sous l'identifiant de cet examen (Study Instance UID) ; elles ont été mises à l'écart. Vérifiez que les images reçues d'abord sont bien celles de leur patient.";
const alreadyUsed =
  "Ces images ont été mises à l'écart : leur identifiant d'examen (Study Instance UID) est déjà employé. Elles sont à renvoyer sous un nouvel identifiant, ou l'examen à corriger dans le PACS.";

/** @param link the study that had the UID first. @param event the lot set apart. */
export async function reportSetApart(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  event: StudyEvent,
): Promise<void> {
  const told = await tx.search('DetectedIssue', `implicated=ImagingStudy/${event.imagingStudyId}&_count=1`);
  if (told.length > 0) return;
  const task = link.caseId === undefined ? undefined : (await readCase(tx, link.caseId)).task;
  const cases = task === undefined ? [] : [task];
  const sides = { received: patientOfImages(event.identity) };
  const study = { imagingStudyId: event.imagingStudyId, uid: link.studyUid };
  if (!(await isOfOthers(tx, link, event, task)))
    return raiseProblem(shell, tx, {
      code: 'uid-collision',
      cases,
      detail: `Des images d'une autre identité sont arrivées sous le même identifiant d'examen : ${event.quarantine ?? 'identités différentes'}.`,
      sides,
      study,
    });
  await raiseProblem(shell, tx, { code: 'uid-collision', cases: [], detail: alreadyUsed, sides, study });
  await raiseProblem(shell, tx, {
    code: 'uid-collision',
    cases,
    detail: usedAgain,
    ...(await ownStudy(tx, link, task)),
  });
}

const labelsOfStudy = async (tx: FhirTransaction, id: string): Promise<string[]> =>
  labelsOf(await tx.find('ImagingStudy', id));

/** Whether one problem of both would be read by somebody who sees one side only. Of what nobody owns, nobody is told too much. */
async function isOfOthers(
  tx: FhirTransaction,
  link: StudyLink,
  event: StudyEvent,
  task: CaseTask | undefined,
): Promise<boolean> {
  const owners = task === undefined ? await labelsOfStudy(tx, link.imagingStudyId) : labelsOf(task);
  const senders = await labelsOfStudy(tx, event.imagingStudyId);
  if (owners.length === 0 || senders.length === 0) return false;
  return owners.length !== senders.length || owners.some((each) => !senders.includes(each));
}

/** The first study, so that a decision can take it off its case; not where that would show the case to whoever sent it. */
async function ownStudy(tx: FhirTransaction, link: StudyLink, task: CaseTask | undefined) {
  const study = { imagingStudyId: link.imagingStudyId, uid: link.studyUid };
  const owners = labelsOf(task);
  const isOwn =
    task === undefined || (await labelsOfStudy(tx, link.imagingStudyId)).every((each) => owners.includes(each));
  return isOwn ? { study } : {};
}
