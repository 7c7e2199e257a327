/** What the case machine knows of critical results: one open alert is enough (case/facts.ts). */
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Facts } from '../case/index.ts';
import { idOf, outputsOf } from '../shell/case-task.ts';
import { isOpenAlert } from './alert-task.ts';

export async function criticalOf(tx: Pick<FhirTransaction, 'find'>, task: Task): Promise<Facts['critical']> {
  const ids = outputsOf(task, 'alert').flatMap((each) => idOf(each.valueReference, 'Task') ?? []);
  if (ids.length === 0) return 'none';
  const alerts = await Promise.all(ids.map((id) => tx.find('Task', id)));
  return alerts.some((child) => child !== undefined && isOpenAlert(child)) ? 'open' : 'acknowledged';
}
