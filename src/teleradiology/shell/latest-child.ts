/** Finds the child Task that a case names last in an output. */
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { CaseItem } from '../codes.ts';
import { type CaseTask, idOf, outputsOf } from './case-task.ts';

/** The latest child of this kind, whatever became of it. */
export async function latestChild(
  tx: Pick<FhirTransaction, 'find'>,
  task: Task,
  item: CaseItem,
): Promise<CaseTask | undefined> {
  const id = outputsOf(task, item)
    .flatMap((each) => idOf(each.valueReference, 'Task') ?? [])
    .at(-1);
  return id === undefined ? undefined : ((await tx.find('Task', id)) as CaseTask | undefined);
}
