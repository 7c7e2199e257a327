/** Keeps table `worklist` in step: last in every transaction that wrote something a place depends on. */
import type { Observation, Organization, Task } from '@medplum/fhirtypes';
import type { Change, CommitHook, FhirTransaction } from '../../fhir/index.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf, isTaskOf, outputsOf } from '../shell/case-task.ts';
import { casesOfStudy, isAiPriority, studiesOf } from './ai-priority.ts';
import { isReadingPart, openCaseOf } from './open-case.ts';
import { aiAtMostMinutes, placeOf } from './place.ts';
import type { SubSpecialties } from './sub-specialty.ts';
import { casesOfRequest, dropRow, keepRow, traitsOf, weighAi } from './table.ts';

/** What places depend on; a request just made has no case yet. */
const moves = ({ type, interaction }: Change) =>
  type === 'Task' ||
  type === 'Observation' ||
  ((type === 'ServiceRequest' || type === 'Organization') && interaction === 'update');

export function createProjection(subSpecialties: SubSpecialties): CommitHook {
  return (changes, tx) => (changes.some(moves) ? follow(changes, tx) : undefined);

  async function follow(changes: readonly Change[], tx: FhirTransaction): Promise<void> {
    const { written, anew, dropped } = await touched(changes, tx);
    for (const id of dropped) await dropRow(tx.sql, tx.context.tenant, id);
    // In one order, whoever writes: two transactions about the same cases wait for each other and never crosswise.
    for (const id of [...written.keys(), ...anew].toSorted()) {
      if (!written.has(id)) await tx.lock(`case:${id}`);
      const task = (written.get(id) ?? (await tx.find('Task', id))) as CaseTask | undefined;
      if (task !== undefined) await project(tx, subSpecialties, task, anew.has(id));
    }
    await weighAnew(changes, tx);
  }
}

/** Puts one case where it stands. @param anew what its request and its studies say is read again. */
export async function project(
  tx: FhirTransaction,
  subSpecialties: SubSpecialties,
  task: CaseTask,
  anew: boolean,
): Promise<void> {
  const { tenant } = tx.context;
  const known = anew ? undefined : await traitsOf(tx.sql, tenant, task.id);
  const open = await openCaseOf(tx, subSpecialties, task, known);
  if (open === undefined) await dropRow(tx.sql, tenant, task.id);
  else await keepRow(tx.sql, tenant, open, placeOf(open));
}

interface Touched {
  /** Cases as this transaction left them. */
  written: Map<string, Task>;
  /** Ids of cases whose request or images say something else than before. */
  anew: Set<string>;
  dropped: Set<string>;
}

async function touched(changes: readonly Change[], tx: FhirTransaction): Promise<Touched> {
  const result: Touched = { written: new Map(), anew: new Set(), dropped: new Set() };
  for (const { type, id, interaction, before, after } of changes) {
    if (type === 'Task') {
      if (interaction === 'delete') result.dropped.add(id);
      else taskWritten(result, before as Task | undefined, after as Task & { id: string });
    } else if (type === 'ServiceRequest' && interaction === 'update') {
      for (const caseId of await casesOfRequest(tx.sql, tx.context.tenant, id)) result.anew.add(caseId);
    } else if (type === 'Observation') {
      const observation = (after ?? before) as Observation;
      if (!isAiPriority(observation)) continue;
      for (const study of studiesOf(observation))
        for (const caseId of await casesOfStudy(tx, study)) result.anew.add(caseId);
    }
  }
  return result;
}

function taskWritten({ written, anew }: Touched, before: Task | undefined, after: Task & { id: string }): void {
  if (isTaskOf(after, 'teleradiology-case')) {
    written.set(after.id, after);
    // Images found their case: what a device said of them counts from now on.
    if (before && studyReferences(before) !== studyReferences(after)) anew.add(after.id);
  } else if (isReadingPart(after)) {
    const parent = idOf(after.partOf?.[0], 'Task');
    if (parent !== undefined) anew.add(parent);
  }
}

const studyReferences = (task: Task): string =>
  outputsOf(task, 'imaging-study')
    .map((each) => each.valueReference?.reference ?? '')
    .join();

/** The switch of an establishment, or its weight, takes effect at once. */
async function weighAnew(changes: readonly Change[], tx: FhirTransaction): Promise<void> {
  for (const { type, id, before, after } of changes) {
    if (type !== 'Organization' || before === undefined || after === undefined) continue;
    const weight = (organization: unknown) => establishmentSettings(organization as Organization).aiPriorityMinutes;
    if (weight(before) !== weight(after))
      await weighAi(tx.sql, tx.context.tenant, id, Math.min(aiAtMostMinutes, weight(after)));
  }
}
