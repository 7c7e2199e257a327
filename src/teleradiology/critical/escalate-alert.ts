/** A critical result that nobody acknowledged in time: the next round (WF-9). Called by the sweep of due times, under the lock of the case. */
import type { FhirTransaction } from '../../fhir/index.ts';
import { gatherFacts } from '../shell/gather-facts.ts';
import { readCase, type Shell } from '../shell/perform.ts';
import { isOpenAlert } from './alert-task.ts';
import { tellAlert } from './tell-alert.ts';

/** @param alertId of the child Task; one that was acknowledged meanwhile is left alone. */
export async function escalateAlert(shell: Shell, caseId: string, alertId: string, tx: FhirTransaction): Promise<void> {
  const { task } = await readCase(tx, caseId);
  const child = await tx.find('Task', alertId);
  if (child?.id === undefined || !isOpenAlert(child)) return;
  const now = tx.context.now();
  const view = await gatherFacts(tx, task, now);
  await tellAlert(task, { ...child, id: child.id }, { room: shell, writes: shell.writes, tx, now, view });
}
