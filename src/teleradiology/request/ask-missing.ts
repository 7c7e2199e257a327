/** What a request lacks is asked of whoever sent it, by name and at once (IN-6); an urgent case goes on beside the question. */
import type { FhirTransaction } from '../../fhir/index.ts';
import type { Facts } from '../case/index.ts';
import { type CaseTask, withOutputReference } from '../shell/case-task.ts';
import { communication } from '../shell/communication.ts';
import { missingText } from './required-items.ts';

export async function askMissing(
  task: CaseTask,
  scene: { tx: FhirTransaction; view: { facts: Pick<Facts, 'missing' | 'urgent'> }; now: Date },
): Promise<CaseTask> {
  const { missing, urgent } = scene.view.facts;
  const text = missingText(missing);
  const asked = await scene.tx.create(
    communication(task, {
      category: 'question',
      text,
      recipients: task.requester ? [task.requester] : [],
      sent: scene.now,
      sender: { reference: 'Device/passerelle' },
      urgent,
    }),
  );
  const told = withOutputReference(task, 'question', `Communication/${asked.id}`);
  return urgent ? told : { ...told, statusReason: { text } };
}
