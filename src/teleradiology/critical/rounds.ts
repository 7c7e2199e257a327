/** The Communications of an alert's rounds: in progress while they are being told, then heard or overtaken. */
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { idOf, outputsOf } from '../shell/case-task.ts';

/** @param heard when it was said back; undefined when another finding begins the rounds anew. */
export async function endRounds(tx: FhirTransaction, child: Task, heard?: Date): Promise<void> {
  for (const each of outputsOf(child, 'told')) {
    const id = idOf(each.valueReference, 'Communication');
    const round = id === undefined ? undefined : await tx.find('Communication', id);
    if (round?.id === undefined || round.status !== 'in-progress') continue;
    const outcome = heard
      ? ({ status: 'completed', received: heard.toISOString() } as const)
      : ({ status: 'stopped' } as const);
    await tx.update({ ...round, id: round.id, ...outcome });
  }
}
