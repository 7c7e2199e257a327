/** What an excluded reader holds of an establishment goes back at once (CM-5): readings, second readings, addenda. */
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { type CaseEvent, inHand } from '../case/index.ts';
import { idOf, isTaskOf, stateOf } from '../shell/case-task.ts';
import { perform, type Shell } from '../shell/perform.ts';

/** Tasks looked at in one page; a reader holds a handful. */
const atMost = 1_000;

/** @returns how many cases lost their reader. */
export async function releaseCases(
  shell: Shell,
  tx: FhirTransaction,
  practitionerId: string,
  establishmentId: string,
  reason: string,
): Promise<number> {
  const held = await tx.whole.search(
    'Task',
    `owner=Practitioner/${practitionerId}&status=in-progress,on-hold,accepted,ready&_count=${atMost}`,
  );
  const released = new Set<string>();
  for (const task of held) {
    const given = givenUp(task);
    if (given === undefined) continue;
    const root = given.caseId === task.id ? task : await tx.whole.find('Task', given.caseId);
    if (idOf(root?.requester, 'Organization') !== establishmentId) continue;
    await perform(shell, tx.whole, given.caseId, { event: given.event, bySystem: true, input: { reason } });
    released.add(given.caseId);
  }
  return released.size;
}

/** Which case a Task the reader owns takes from them, and how; undefined for what is not in their hands. */
function givenUp(task: Task): { caseId: string; event: CaseEvent } | undefined {
  if (isTaskOf(task, 'teleradiology-case')) {
    const state = stateOf(task);
    const isHeld = state !== undefined && inHand.includes(state);
    return isHeld && task.id !== undefined ? { caseId: task.id, event: 'release' } : undefined;
  }
  const caseId = (task.partOf ?? []).map((whole) => idOf(whole, 'Task')).find((id) => id !== undefined);
  if (caseId === undefined) return undefined;
  if (isTaskOf(task, 'second-read')) return { caseId, event: 'release-second-reading' };
  return isTaskOf(task, 'addendum') || isTaskOf(task, 're-reading') ? { caseId, event: 'release-addendum' } : undefined;
}
