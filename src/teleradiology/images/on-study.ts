/** The imaging room's hook: runs in the ingest transaction, once per study and request. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type StudyEvent, studyLock } from '../../imaging/contract.ts';
import { signedStates, stateDefinition } from '../case/index.ts';
import { studyOfOthers } from '../identity/claimed-study.ts';
import { problemsOf } from '../identity/doubt.ts';
import { areImagesOfOthers } from '../identity/elsewhere.ts';
import { raiseProblem } from '../identity/hold-case.ts';
import { doubtStudy } from '../identity/study-doubts.ts';
import { establishmentSettings } from '../settings.ts';
import type { CaseTask } from '../shell/case-task.ts';
import { idOf, stateOf } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { perform, type Shell } from '../shell/perform.ts';
import { caseFor, detach, quarantineCollision, settleStudy, tellCase, watchQuiet } from './attach.ts';
import { casesAnnouncing, contradictionsWith } from './find-case.ts';
import { reportSetApart } from './set-apart.ts';
import { findLink, type SeriesArrival, type StudyLink, saveLink } from './study-link.ts';

/** A case is told about images that keep arriving once a second, not once per request. */
const tellEveryMs = 1000;

export async function onStudy(shell: Shell, event: StudyEvent, tx: FhirTransaction): Promise<void> {
  const { tenant } = tx.context;
  const uid = event.identity.studyInstanceUid;
  await tx.lock(studyLock(uid));
  const known = await findLink(tx.sql, tenant, uid);
  // Another patient's images under this UID: the imaging room set them apart; the first patient's stay attached.
  if (known !== undefined && known.imagingStudyId !== event.imagingStudyId)
    return reportSetApart(shell, tx, known, event);
  const link = arrived(known, event, await tx.find('ImagingStudy', event.imagingStudyId), tx.context.now());
  if (event.quarantine !== undefined && link.state !== 'quarantined') {
    const held = await quarantineCollision(shell, tx, link, event.quarantine);
    return settleCase(shell, tx, held);
  }
  if (link.state === 'quarantined') return saveLink(tx.sql, tenant, link);
  if (known?.state === 'attached' && link.caseId !== undefined) {
    const newSeries = Object.keys(link.series).some((series) => !(series in known.series));
    return moreImages(shell, tx, link, link.caseId, newSeries);
  }
  return lookForCase(shell, tx, link);
}

async function lookForCase(shell: Shell, tx: FhirTransaction, link: StudyLink): Promise<void> {
  const settled = await settleStudy(shell, tx, link, await caseFor(tx, link));
  await tellOthers(shell, tx, settled);
  if (settled.state !== 'attached') return settleCase(shell, tx, settled);
  if (settled.caseId !== undefined) await tellCase(shell, tx, settled.caseId);
}

/** Cases of other establishments that announce these images: they would wait for an exam that is not theirs, and nobody would say so. */
async function tellOthers(shell: Shell, tx: FhirTransaction, link: StudyLink): Promise<void> {
  for (const task of await casesAnnouncing(tx, link.studyUid)) {
    if (task.id === link.caseId || !(await areImagesOfOthers(tx, task, link))) continue;
    for (const problem of problemsOf(task, studyOfOthers(link))) await raiseProblem(shell, tx, problem);
  }
}

/** Images in quarantine are no event of the case, and yet its clocks change. */
async function settleCase(shell: Shell, tx: FhirTransaction, { caseId }: StudyLink): Promise<void> {
  if (caseId !== undefined) await perform(shell, tx, caseId, { event: 'settle', bySystem: true });
}

/** The link after these images: counts and times per series. */
function arrived(
  known: StudyLink | undefined,
  event: StudyEvent,
  study: ImagingStudy | undefined,
  now: Date,
): StudyLink {
  const series: Record<string, SeriesArrival> = {};
  for (const each of study?.series ?? []) {
    const instances = each.numberOfInstances ?? each.instance?.length ?? 0;
    const before = known?.series[each.uid];
    series[each.uid] = before?.instances === instances ? before : { instances, at: now.toISOString() };
  }
  // The same images again are no arrival: they must not keep a study from falling quiet.
  const more = known === undefined || known.instances !== event.instances;
  return {
    studyUid: event.identity.studyInstanceUid,
    imagingStudyId: event.imagingStudyId,
    state: known?.state ?? 'waiting',
    caseId: known?.caseId,
    basis: known?.basis,
    identity: event.identity,
    series,
    instances: event.instances,
    firstAt: known?.firstAt ?? now,
    lastAt: more ? now : (known?.lastAt ?? now),
    toldAt: known?.toldAt,
  };
}

async function moreImages(
  shell: Shell,
  tx: FhirTransaction,
  link: StudyLink,
  caseId: string,
  newSeries: boolean,
): Promise<void> {
  const { tenant } = tx.context;
  const task = (await tx.read('Task', caseId)) as CaseTask;
  // A cancelled request reads no more images: these may be of the order that replaces it, and else somebody must look.
  if (stateDefinition(stateOf(task) ?? '')?.final === true)
    return lookForCase(shell, tx, await detach(shell, tx, link));
  const patient = await tx.find('Patient', idOf(task.for, 'Patient') ?? '');
  const traits = patient === undefined ? [] : contradictionsWith(patient, link.identity);
  if (traits.length > 0 && link.basis !== 'confirmed') {
    await settleStudy(shell, tx, link, { task, basis: link.basis ?? 'provisional', contradictions: traits });
    await tellCase(shell, tx, caseId);
    return;
  }
  await watchQuiet(tx, link, establishmentSettings(await establishmentOf(tx, task)));
  // Another series may be of the other side.
  if (link.basis !== 'confirmed' && newSeries) await doubtStudy(shell, tx, link, task);
  const now = tx.context.now();
  const signed = signedStates.some((state) => state === stateOf(task));
  const due = signed || link.toldAt === undefined || now.getTime() - link.toldAt.getTime() >= tellEveryMs;
  await saveLink(tx.sql, tenant, due ? { ...link, toldAt: now } : link);
  if (due) await tellCase(shell, tx, caseId);
}
