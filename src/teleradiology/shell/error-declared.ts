/** Who declared a case an error is kept in the case itself, which nobody but the machine writes (workflow §2, state 19). */
import type { Task } from '@medplum/fhirtypes';
import { outputsOf } from './case-task.ts';

/** Literal reference; undefined when nobody did, or it was taken back. */
export function errorDeclaredBy(task: Task): string | undefined {
  return outputsOf(task, 'error-declaration')[0]?.valueReference?.reference;
}
