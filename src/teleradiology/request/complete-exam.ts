/** Flow 4: what the hospital says after the exam; tells for sure which images belong to the request. */
import type {
  Device,
  Identifier,
  MedicationAdministration,
  Reference,
  ServiceRequest,
  Task,
  TaskInput,
} from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction, identifierQuery } from '../../fhir/index.ts';
import { studyLock } from '../../imaging/contract.ts';
import { signedStates, stateDefinition } from '../case/index.ts';
import { codeSystem, concept, identifierIs, passerelle, studyIdentifier } from '../codes.ts';
import type { ExamComplement } from '../contract.ts';
import { claimedStudy, isStudyOfOthers, studyOfOthers } from '../identity/claimed-study.ts';
import { type Doubt, problemsOf } from '../identity/doubt.ts';
import { isElsewhere } from '../identity/elsewhere.ts';
import { reportProblem } from '../identity/problem.ts';
import { claimQuarantined, detach, settleStudy, tellCase, withStudies } from '../images/attach.ts';
import { contradictionsWith } from '../images/find-case.ts';
import { findLink, linksOfCase, type StudyLink } from '../images/study-link.ts';
import { announcedStudies, type CaseTask, idOf, stateOf, withInput } from '../shell/case-task.ts';
import { flow4Received } from '../shell/circumstances.ts';
import { perform, readCase, type Shell, transition } from '../shell/perform.ts';
import { knownCase } from './cancel.ts';

/** Which exam of the request an input is about, when there are several. */
const ofStudy = `${passerelle}/StructureDefinition/exam-study`;

export async function completeExam(
  shell: Shell,
  tx: FhirTransaction,
  exams: ExamComplement[],
  establishmentId: string,
): Promise<Task> {
  const [first] = exams;
  if (first === undefined) throw new FhirError(422, 'required', 'Le complément ne décrit aucun examen.');
  if (exams.some((exam) => exam.placer.value !== first.placer.value || exam.placer.system !== first.placer.system))
    throw new FhirError(422, 'invalid', 'Un complément concerne une seule demande.', 'ServiceRequest.identifier');
  const { id } = await knownCase(tx, first.placer, first.patient, establishmentId);
  for (const uid of exams.map((exam) => exam.studyInstanceUid).sort()) await tx.lock(studyLock(uid));
  const { task, state } = await readCase(tx, id);
  const seen = new Set((await linksOfCase(tx.sql, tx.context.tenant, id)).map(({ studyUid }) => studyUid));
  const repeated = new Set(announcedStudies(task));
  for (const exam of exams) await storeExam(tx, task, exam, repeated.has(exam.studyInstanceUid));
  for (const exam of exams) await relink(shell, tx, task, exam.studyInstanceUid);
  await dropContradicted(shell, tx, task, exams);
  const links = await linksOfCase(tx.sql, tx.context.tenant, id);
  // Detaching a study, or a number that is another patient's, may have stored the case anew.
  const current = await readCase(tx, id);
  const completed = await transition(shell, tx, current.task, current.state, {
    event: 'complete-exam',
    change: (before) =>
      withStudies(
        exams.reduce((changed, exam) => withExam(changed, exam, tx.context.now()), before),
        links,
      ),
  });
  // Images that the signed report did not see: whoever signed must know.
  const unseen = links.some((link) => link.state === 'attached' && !seen.has(link.studyUid));
  if (unseen && signedStates.includes(state)) return tellCase(shell, tx, id);
  // The act as done may owe what the act as asked did not: a second reading, a complement.
  return signedStates.includes(state) ? perform(shell, tx, id, { event: 'settle', bySystem: true }) : completed;
}

/** Inputs of the case for one exam; a repeated complement replaces the former. */
function withExam(task: CaseTask, exam: ExamComplement, now: Date): CaseTask {
  const uid = exam.studyInstanceUid;
  const about = (url: string) => ({ url, valueString: uid });
  const kept = task.input?.filter(
    (each) => !each.extension?.some((extension) => extension.url === ofStudy && extension.valueString === uid),
  );
  const add = (result: CaseTask, item: Parameters<typeof withInput>[1], value: Omit<TaskInput, 'type'>): CaseTask =>
    withInput(result, item, { ...value, extension: [about(ofStudy), ...(value.extension ?? [])] });
  let result: CaseTask = { ...task, input: kept };
  result = add(result, 'study', { valueIdentifier: studyIdentifier(uid) });
  result = add(result, 'act', {
    valueCodeableConcept: { coding: [exam.act] },
    extension: [{ url: flow4Received, valueDateTime: now.toISOString() }],
  });
  if (exam.partialViewerUrl) result = add(result, 'partial-viewer-url', { valueUrl: exam.partialViewerUrl });
  if (exam.retentionDays !== undefined) result = add(result, 'retention-days', { valueInteger: exam.retentionDays });
  return result;
}

async function storeExam(tx: FhirTransaction, task: CaseTask, exam: ExamComplement, repeated: boolean): Promise<void> {
  const id = idOf(task.focus, 'ServiceRequest');
  const request = id === undefined ? undefined : await tx.find('ServiceRequest', id);
  if (request === undefined) return;
  const supporting: Reference[] = repeated ? [] : await storeProducts(tx, task, exam);
  const numbers: Identifier[] = [accession(exam), studyIdentifier(exam.studyInstanceUid)];
  const fresh = numbers.filter(
    (number) => !request.identifier?.some((each) => each.system === number.system && each.value === number.value),
  );
  await tx.update<ServiceRequest>({
    ...request,
    identifier: [...(request.identifier ?? []), ...fresh],
    ...(exam.bodySite && !request.bodySite ? { bodySite: exam.bodySite } : {}),
    ...(exam.examDate && !request.occurrenceDateTime ? { occurrenceDateTime: exam.examDate.toISOString() } : {}),
    ...(supporting.length > 0 ? { supportingInfo: [...(request.supportingInfo ?? []), ...supporting] } : {}),
  });
}

function accession(exam: ExamComplement): Identifier {
  return identifierIs(exam.accessionNumber, 'ACSN')
    ? exam.accessionNumber
    : { ...exam.accessionNumber, type: concept(codeSystem.v20203, 'ACSN') };
}

/** Products given and device used, as resources the request points to. */
async function storeProducts(tx: FhirTransaction, task: CaseTask, exam: ExamComplement): Promise<Reference[]> {
  const references: Reference[] = [];
  for (const product of exam.products) {
    const stored = await tx.create<MedicationAdministration>({
      ...product,
      subject: task.for as MedicationAdministration['subject'],
      supportingInformation: task.focus ? [task.focus] : undefined,
    });
    references.push({ reference: `MedicationAdministration/${stored.id}` });
  }
  if (exam.device) references.push({ reference: `Device/${await storeDevice(tx, exam.device)}` });
  return references;
}

async function storeDevice(tx: FhirTransaction, device: Device): Promise<string> {
  const identifier = device.identifier?.find((each) => each.value);
  if (identifier === undefined) return (await tx.create(device)).id;
  const criteria = identifierQuery(identifier.system, identifier.value);
  return (await tx.createIfNone(device, criteria)).resource.id;
}

/** The announced study, if its images are there: confirmed, taken from where it was guessed, or found in contradiction. */
async function relink(shell: Shell, tx: FhirTransaction, task: CaseTask, uid: string): Promise<void> {
  const link = await findLink(tx.sql, tx.context.tenant, uid);
  if (link === undefined || (link.caseId === task.id && link.state === 'quarantined')) return;
  const patient = await tx.find('Patient', idOf(task.for, 'Patient') ?? '');
  const holder = await openHolder(tx, task, link);
  if (holder !== undefined && (link.basis !== 'provisional' || isElsewhere(task, holder)))
    return report(tx, task, await claimedStudy(tx, task, link, holder));
  if (holder === undefined && link.caseId !== task.id && (await isStudyOfOthers(tx, task, patient, link)))
    return report(tx, task, studyOfOthers(link));
  if (link.state === 'quarantined') {
    await claimQuarantined(shell, tx, link, task);
    return;
  }
  if (link.state === 'attached' && link.caseId !== task.id) await detach(shell, tx, link);
  const contradictions = patient === undefined ? [] : contradictionsWith(patient, link.identity);
  await settleStudy(shell, tx, link, { task, basis: 'study-uid', contradictions });
}

async function report(tx: FhirTransaction, task: CaseTask, doubt: Doubt): Promise<void> {
  for (const problem of problemsOf(task, doubt)) await reportProblem(tx, problem);
}

/** The other case that a study is attached to; one that ended keeps no images from the request that replaces it. */
async function openHolder(tx: FhirTransaction, task: CaseTask, link: StudyLink): Promise<CaseTask | undefined> {
  if (link.state !== 'attached' || link.caseId === undefined || link.caseId === task.id) return undefined;
  const other = (await tx.find('Task', link.caseId)) as CaseTask | undefined;
  return other === undefined || stateDefinition(stateOf(other) ?? '')?.final === true ? undefined : other;
}

/** Studies attached by a guess that flow 4 does not announce belong elsewhere; one a person confirmed is not taken off silently. */
async function dropContradicted(
  shell: Shell,
  tx: FhirTransaction,
  task: CaseTask,
  exams: readonly ExamComplement[],
): Promise<void> {
  const announced = new Set([...announcedStudies(task), ...exams.map((exam) => exam.studyInstanceUid)]);
  for (const link of await linksOfCase(tx.sql, tx.context.tenant, task.id)) {
    if (announced.has(link.studyUid)) continue;
    if (link.basis === 'provisional') await detach(shell, tx, link);
    else if (link.basis === 'confirmed') await tellContradicted(tx, task, link);
  }
}

/** A person vouched for images that the hospital does not announce: neither is simply right, identity vigilance decides, once. */
async function tellContradicted(tx: FhirTransaction, task: CaseTask, link: StudyLink): Promise<void> {
  const reason =
    "Le complément post-acte n'annonce pas l'examen dont les images ont été confirmées pour cette demande.";
  const study = { imagingStudyId: link.imagingStudyId, uid: link.studyUid };
  const told = await tx.search('DetectedIssue', `implicated=ImagingStudy/${link.imagingStudyId}&_count=100`);
  const before = told.some(
    (issue) => issue.detail === reason && issue.implicated?.some((each) => idOf(each, 'Task') === task.id),
  );
  if (!before) await reportProblem(tx, { code: 'exam-unannounced', cases: [task], detail: reason, study });
}
