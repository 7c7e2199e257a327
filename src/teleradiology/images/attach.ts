/** Ties a study to its case, and unties it: the link row, the ImagingStudy, the case. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { studyLock } from '../../imaging/contract.ts';
import { stateDefinition } from '../case/index.ts';
import { cancelUnattached } from '../clock/due-time.ts';
import { setDueTime } from '../clock/index.ts';
import { wasRejected } from '../identity/decision.ts';
import { areImagesOfOthers } from '../identity/elsewhere.ts';
import { patientOfImages } from '../identity/evidence.ts';
import { codeOfTraits, type Problem, reportProblem, traitsDetail } from '../identity/problem.ts';
import { doubtStudy } from '../identity/study-doubts.ts';
import { defaultSettings, type EstablishmentSettings, establishmentSettings } from '../settings.ts';
import {
  type AttachmentBasis,
  type CaseTask,
  idOf,
  imageCountOf,
  stateOf,
  withBasis,
  withImageCount,
  withOutputReference,
  withoutOutputs,
} from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { readCase, type Shell, transition } from '../shell/perform.ts';
import { type FoundCase, findCase } from './find-case.ts';
import { findLink, linksOfCase, type StudyLink, saveLink, waitingLinks } from './study-link.ts';

/** How many studies without a case a new request is compared with. */
const waitingLimit = 200;

/** The case's view of its images, after its studies changed. */
export function withStudies(task: CaseTask, studies: readonly StudyLink[]): CaseTask {
  const attached = studies.filter((link) => link.state === 'attached');
  const references = attached.map((link) => `ImagingStudy/${link.imagingStudyId}`);
  let result = withoutOutputs(task, 'imaging-study', (each) =>
    references.includes(each.valueReference?.reference ?? ''),
  );
  for (const reference of references) result = withOutputReference(result, 'imaging-study', reference);
  const count = attached.reduce((sum, link) => sum + link.instances, 0);
  if (count > 0 || imageCountOf(task) > 0) result = withImageCount(result, count);
  // One provisional study makes the whole case provisional.
  const weakest = attached.find((link) => link.basis === 'provisional') ?? attached[0];
  return withBasis(result, weakest?.basis);
}

/** Tells the case about its images; the machine decides what follows. */
export async function tellCase(shell: Shell, tx: FhirTransaction, caseId: string): Promise<CaseTask> {
  const { task, state } = await readCase(tx, caseId);
  if (stateDefinition(state)?.final) return task;
  const links = await linksOfCase(tx.sql, tx.context.tenant, caseId);
  return transition(shell, tx, task, state, {
    event: 'images',
    bySystem: true,
    change: (current) => withStudies(current, links),
  });
}

/** Attaches a study whose identity agrees, or quarantines it. The link is stored. */
export async function settleStudy(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  found: FoundCase | undefined,
): Promise<StudyLink> {
  if (found === undefined) return waitForCase(tx, link);
  if (found.contradictions.length > 0) return quarantineStudy(shell, tx, link, found);
  return attach(shell, tx, link, found.task, found.basis);
}

/** The case a study belongs to, unless a person said that its images are not this case's. */
export async function caseFor(tx: FhirTransaction, link: StudyLink): Promise<FoundCase | undefined> {
  const found = await findCase(tx, link.identity);
  if (found === undefined) return undefined;
  const issues = await tx.search('DetectedIssue', `implicated=ImagingStudy/${link.imagingStudyId}&_count=100`);
  return wasRejected(issues, found.task.id) ? undefined : found;
}

async function attach(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  task: CaseTask,
  basis: AttachmentBasis,
): Promise<StudyLink> {
  const { tenant } = tx.context;
  const attached: StudyLink = { ...link, state: 'attached', caseId: task.id, basis, toldAt: tx.context.now() };
  await saveLink(tx.sql, tenant, attached);
  await cancelUnattached(tx.sql, tenant, link.studyUid);
  await tieImagingStudy(tx, link.imagingStudyId, task);
  await watchQuiet(tx, attached, establishmentSettings(await establishmentOf(tx, task)));
  if (basis !== 'confirmed') await doubtStudy(shell, tx, attached, task);
  return attached;
}

/** ImagingStudy points to the patient and the request of its case, or to nobody. */
async function tieImagingStudy(tx: FhirTransaction, id: string, task: CaseTask | undefined): Promise<void> {
  const study = await tx.find('ImagingStudy', id);
  if (study === undefined) return;
  const subject = (task?.for ?? { display: 'Patient non rattaché' }) as ImagingStudy['subject'];
  const { basedOn: _basedOn, ...rest } = study;
  const basedOn = task?.focus?.reference;
  if (study.subject.reference === subject.reference && study.basedOn?.[0]?.reference === basedOn) return;
  await tx.update<ImagingStudy>({ ...rest, subject, ...(basedOn ? { basedOn: [{ reference: basedOn }] } : {}) });
}

/** @param again it had a case meanwhile: whoever was told of it before is told anew. */
async function waitForCase(tx: FhirTransaction, link: StudyLink, again = false): Promise<StudyLink> {
  const { tenant } = tx.context;
  const waiting: StudyLink = { ...link, state: 'waiting', caseId: undefined, basis: undefined };
  await saveLink(tx.sql, tenant, waiting);
  await watchUnattached(tx, link.studyUid, link.lastAt, again);
  return waiting;
}

async function watchUnattached(tx: FhirTransaction, key: string, since: Date, again: boolean): Promise<void> {
  const dueAt = new Date(since.getTime() + defaultSettings.unattachedMinutes * 60_000);
  await setDueTime(tx.sql, tx.context.tenant, { caseId: '', kind: 'unattached', key, dueAt }, again);
}

async function quarantineStudy(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  found: FoundCase,
): Promise<StudyLink> {
  const traits = found.contradictions;
  const problem = { code: codeOfTraits(traits), traits, detail: traitsDetail('images', traits) };
  return hold(shell, tx, { ...link, caseId: found.task.id }, found.task, problem, true);
}

/** Flow 4 announces a study that is held for another case or for none: it is held for this one, where identity vigilance decides. */
export async function claimQuarantined(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  task: CaseTask,
): Promise<StudyLink> {
  const detail = "L'examen annoncé pour cette demande est en quarantaine : vérifiez à qui sont ses images.";
  return hold(shell, tx, { ...link, caseId: task.id }, task, { code: 'study-claimed', detail }, false);
}

/** A study whose own images disagree; `task` is the case it was attached to, if any. */
export async function quarantineCollision(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  reason: string,
): Promise<StudyLink> {
  const task = link.caseId === undefined ? undefined : (await readCase(tx, link.caseId)).task;
  return hold(shell, tx, link, task, { code: 'uid-collision', detail: reason }, false);
}

async function hold(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  task: CaseTask | undefined,
  problem: Pick<Problem, 'code' | 'detail' | 'traits'>,
  tellImaging: boolean,
): Promise<StudyLink> {
  const { tenant } = tx.context;
  const held: StudyLink = { ...link, state: 'quarantined', basis: undefined };
  await saveLink(tx.sql, tenant, held);
  if (task === undefined) await watchUnattached(tx, link.studyUid, tx.context.now(), true);
  else await cancelUnattached(tx.sql, tenant, link.studyUid);
  if (tellImaging) await shell.imaging.quarantine(tx, link.studyUid, problem.detail);
  await reportHeld(tx, link, task, problem);
  return held;
}

/** Two problems where images that follow a patient from another establishment turn out to be somebody else's: neither is shown the other's. */
async function reportHeld(
  tx: FhirTransaction,
  link: StudyLink,
  task: CaseTask | undefined,
  problem: Pick<Problem, 'code' | 'detail' | 'traits'>,
): Promise<void> {
  const study = { imagingStudyId: link.imagingStudyId, uid: link.studyUid };
  const patientId = idOf(task?.for, 'Patient');
  const known = patientId === undefined ? undefined : await tx.find('Patient', patientId);
  const received = patientOfImages(link.identity);
  const cases = task === undefined ? [] : [task];
  if (task === undefined || !(await areImagesOfOthers(tx, task, link))) {
    await reportProblem(tx, { ...problem, cases, study, sides: { ...(known ? { known } : {}), received } });
    return;
  }
  await reportProblem(tx, { ...problem, cases, study: { uid: link.studyUid }, sides: known ? { known } : {} });
  await reportProblem(tx, { ...problem, cases: [], study, sides: { received } });
}

/** A person says the images are this patient's: they leave quarantine for the case they were meant for. */
export async function confirmStudy(shell: Shell, tx: FhirTransaction, link: StudyLink): Promise<void> {
  await shell.imaging.liftQuarantine(tx, link.studyUid);
  if (link.caseId === undefined) {
    await settleStudy(shell, tx, { ...link, state: 'waiting' }, await caseFor(tx, link));
    return;
  }
  await attach(shell, tx, link, (await readCase(tx, link.caseId)).task, 'confirmed');
}

/** A person says the images are not this patient's: they stay in quarantine, the case no longer waits for a decision. */
export async function rejectStudy(tx: FhirTransaction, link: StudyLink): Promise<void> {
  await saveLink(tx.sql, tx.context.tenant, { ...link, caseId: undefined });
  await cancelUnattached(tx.sql, tx.context.tenant, link.studyUid);
}

/** After the last instance of any series has aged, the case is told. Moves with every arrival. */
export async function watchQuiet(tx: FhirTransaction, link: StudyLink, settings: EstablishmentSettings): Promise<void> {
  if (link.caseId === undefined) return;
  const quietMs = settings.quietSeconds * 1000;
  const now = tx.context.now().getTime();
  const pending = Object.values(link.series)
    .map(({ at }) => Date.parse(at) + quietMs)
    .filter((quietAt) => quietAt > now);
  if (pending.length === 0) return;
  const dueAt = new Date(Math.min(...pending));
  await setDueTime(
    tx.sql,
    tx.context.tenant,
    { caseId: link.caseId, kind: 'images-quiet', key: link.studyUid, dueAt },
    true,
  );
}

/** A person says whose images these are: they leave where they are for that case. */
export async function giveStudy(shell: Shell, tx: FhirTransaction, link: StudyLink, caseId: string): Promise<void> {
  const { task } = await readCase(tx, caseId);
  if (link.state === 'quarantined') await shell.imaging.liftQuarantine(tx, link.studyUid);
  const free = link.state === 'attached' && link.caseId !== caseId ? await detach(shell, tx, link) : link;
  await attach(shell, tx, free, task, 'confirmed');
}

/** Unties a study from its case: it waits again. */
export async function detach(shell: Shell, tx: FhirTransaction, link: StudyLink): Promise<StudyLink> {
  const waiting = await waitForCase(tx, link, true);
  await tieImagingStudy(tx, link.imagingStudyId, undefined);
  if (link.caseId !== undefined) await tellCase(shell, tx, link.caseId);
  return waiting;
}

/** Identity vigilance says that a study belongs to the case that announced it, not to the one it was attached to. */
export async function moveStudy(shell: Shell, tx: FhirTransaction, link: StudyLink, caseId: string): Promise<void> {
  const free = await detach(shell, tx, link);
  await attach(shell, tx, free, (await readCase(tx, caseId)).task, 'confirmed');
}

/** Images may come before their request: compares those that wait with a new case. @returns the case as it is then. */
export async function attachWaiting(shell: Shell, tx: FhirTransaction, task: CaseTask): Promise<CaseTask> {
  let touched = false;
  for (const candidate of await waitingLinks(tx.sql, tx.context.tenant, waitingLimit)) {
    const found = await caseFor(tx, candidate);
    if (found?.task.id !== task.id) continue;
    await tx.lock(studyLock(candidate.studyUid));
    const link = await findLink(tx.sql, tx.context.tenant, candidate.studyUid);
    if (link?.state !== 'waiting') continue;
    await settleStudy(shell, tx, link, found);
    touched = true;
  }
  if (!touched || stateOf(task) === undefined) return task;
  return tellCase(shell, tx, task.id);
}
