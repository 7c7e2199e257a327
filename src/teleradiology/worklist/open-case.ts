/** What of a stored case, its parts and its request decides about its place on the worklists. */
import type { Patient, ServiceRequest, Task } from '@medplum/fhirtypes';
import { establishmentSystem, type FhirTransaction } from '../../fhir/index.ts';
import { type CaseState, type ClockName, openStates, signedStates } from '../case/index.ts';
import { kindOf } from '../kinds/index.ts';
import { establishmentSettings } from '../settings.ts';
import { runningOf } from '../shell/case-clocks.ts';
import { type CaseTask, idOf, isTaskOf, outputsOf, stateOf } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { aiScoreOf } from './ai-priority.ts';
import type { OpenCase, Stage } from './place.ts';
import type { SubSpecialties } from './sub-specialty.ts';
import type { RequestTraits } from './table.ts';

/** What of the Task itself decides; undefined for a case that waits for nobody who uses a worklist. */
export type Work = Pick<OpenCase, 'stage' | 'receivedAt' | 'deadline' | 'holder' | 'firstReader'>;

const stageOfState: Partial<Record<CaseState, Stage>> = {
  'protocol-wanted': 'to-protocol',
  ready: 'to-read',
  reading: 'in-hand',
  suspended: 'in-hand',
  preliminary: 'in-hand',
  'second-reading': 'in-hand',
};

/** Delays that count while a case waits so; the first one to end is when it is due. */
const clocksOfStage: Record<Stage, readonly ClockName[]> = {
  'to-protocol': ['protocol', 'interpretation'],
  'to-read': ['interpretation'],
  'to-second-read': ['second-reading'],
  'to-amend': ['addendum', 'complement'],
  'in-hand': ['interpretation', 'second-reading', 'addendum', 'complement'],
  waiting: ['interpretation', 'identity', 'information', 'protocol', 'images'],
};

/** @param parts its second reading, re-reading or addendum. */
export function workOf(task: Task, parts: readonly Task[]): Work | undefined {
  const state = stateOf(task);
  if (state === undefined || state === 'draft') return undefined;
  if (signedStates.includes(state) || state === 'second-reading') {
    const beside = workBeside(task, parts);
    if (beside !== undefined || state !== 'second-reading') return beside;
  }
  if (!openStates.includes(state)) return undefined;
  const holder = task.owner?.reference ?? task.restriction?.recipient?.[0]?.reference;
  return work(task, stageOfState[state] ?? 'waiting', task.authoredOn, holder);
}

/** A reading that another one owes: beside the report or before its signature. */
function workBeside(task: Task, parts: readonly Task[]): Work | undefined {
  const open = parts.find(({ status }) => status === 'requested' || status === 'received' || status === 'in-progress');
  if (open === undefined) {
    const owesComplement = runningOf(task).some(({ name }) => name === 'complement');
    return owesComplement ? work(task, 'to-amend', task.authoredOn, task.owner?.reference) : undefined;
  }
  const isSecond = isTaskOf(open, 'second-read');
  const stage = open.status === 'in-progress' ? 'in-hand' : isSecond ? 'to-second-read' : 'to-amend';
  const found = work(task, stage, open.authoredOn, open.owner?.reference);
  const firstReader = task.owner?.reference;
  // Whoever read first may well write the addendum, but never reads the second time.
  return found && isSecond && firstReader ? { ...found, firstReader } : found;
}

function work(task: Task, stage: Stage, since: string | undefined, holder: string | undefined): Work | undefined {
  const receivedAt = instantOf(since) ?? instantOf(task.authoredOn) ?? instantOf(task.meta?.lastUpdated);
  if (receivedAt === undefined) return undefined;
  const ends = runningOf(task)
    .filter(({ name }) => clocksOfStage[stage].includes(name))
    .map(({ due }) => due.getTime());
  const deadline = ends.length > 0 ? { deadline: new Date(Math.min(...ends)) } : {};
  return { stage, receivedAt, ...deadline, ...(holder ? { holder } : {}) };
}

/** Child Tasks of a case that are readings. */
export function isReadingPart(task: Task): boolean {
  return isTaskOf(task, 'second-read') || isTaskOf(task, 're-reading') || isTaskOf(task, 'addendum');
}

/**
 * Reads what is not in the Task. @param known what the row says already: a request is not read again for every transition of its case.
 * @returns undefined when the case has no place on a worklist.
 */
export async function openCaseOf(
  tx: FhirTransaction,
  subSpecialties: SubSpecialties,
  task: CaseTask,
  known: RequestTraits | undefined,
): Promise<OpenCase | undefined> {
  const state = stateOf(task);
  if (state === undefined) return undefined;
  const parts = signedStates.includes(state) || state === 'second-reading' ? await readingParts(tx, task) : [];
  const work = workOf(task, parts);
  const establishment = establishmentIdOf(task);
  if (work === undefined || establishment === undefined) return undefined;
  const traits = known ?? (await readTraits(tx, subSpecialties, task));
  const aiWeightMinutes =
    traits.aiScore > 0 ? establishmentSettings(await establishmentOf(tx, task)).aiPriorityMinutes : 0;
  return {
    ...work,
    caseId: task.id,
    kind: kindOf(task).code,
    urgent: task.priority !== 'routine',
    establishment,
    specialty: traits.specialty,
    language: traits.language,
    requestId: traits.requestId,
    aiScore: traits.aiScore,
    aiWeightMinutes,
  };
}

async function readTraits(tx: FhirTransaction, subSpecialties: SubSpecialties, task: CaseTask): Promise<RequestTraits> {
  const requestId = idOf(task.focus, 'ServiceRequest') ?? '';
  const request = requestId === '' ? undefined : await tx.find('ServiceRequest', requestId);
  const patientId = idOf(task.for, 'Patient');
  const patient = patientId === undefined ? undefined : await tx.find('Patient', patientId);
  return {
    specialty: subSpecialties.of(request),
    language: languageOf(request, patient),
    requestId,
    aiScore: await aiScoreOf(tx, task),
  };
}

/** Whose rows these are: the label decides about sight, and so about pools. */
function establishmentIdOf(task: Task): string | undefined {
  const label = task.meta?.security?.find(({ system }) => system === establishmentSystem)?.code;
  return label ?? idOf(task.requester, 'Organization');
}

async function readingParts(tx: FhirTransaction, task: CaseTask): Promise<Task[]> {
  const ids = [...outputsOf(task, 'second-reading'), ...outputsOf(task, 'addendum')].flatMap(
    (each) => idOf(each.valueReference, 'Task') ?? [],
  );
  const found = await Promise.all(ids.map((id) => tx.find('Task', id)));
  return found.filter((part) => part !== undefined).filter(isReadingPart);
}

/** The language a request is written in: its own, else the one the patient prefers; French where nothing is said. */
function languageOf(request: ServiceRequest | undefined, patient: Patient | undefined): string {
  const preferred = patient?.communication?.find((each) => each.preferred === true);
  const code = request?.language ?? preferred?.language.coding?.[0]?.code;
  const primary = code?.toLowerCase().split('-')[0] ?? '';
  return /^[a-z]{2,3}$/.test(primary) ? primary : 'fr';
}

function instantOf(text: string | undefined): Date | undefined {
  const instant = new Date(text ?? '');
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}
