/** A version the other side must not get any more: it holds a later one, and would show two reports of one exam (RP-6). */
import type { Task } from '@medplum/fhirtypes';
import type { DeliveryItem } from '../../delivery/contract.ts';
import type { FhirTransaction } from '../../fhir/index.ts';
import { idOf, inputs, outputs } from './case-data.ts';

const deliverCode = encodeURIComponent('https://fhir.passerelle.example/CodeSystem/task-code|deliver');

/**
 * Whether a later version of this report was delivered to the same establishment. Queues keep order, so this happens only to a version that
 * was refused, replaced, and put back by an operator.
 */
export async function isSuperseded(tx: FhirTransaction, item: DeliveryItem): Promise<boolean> {
  const caseId = idOf(item.focus, 'Task');
  const childId = idOf(item.task, 'Task');
  const child = childId === undefined ? undefined : await tx.find('Task', childId);
  const task = caseId === undefined ? undefined : await tx.find('Task', caseId);
  if (child === undefined || task === undefined || documentOf(child) === undefined) return false;
  const versions = outputs(task, 'document').map(({ valueReference }) => valueReference?.reference);
  // The first attempt of the last version, which is nearly every one, looks no further.
  if (versions.at(-1) === documentOf(child)) return false;
  const sent = await tx.search('Task', `part-of=Task/${task.id}&code=${deliverCode}&_count=1000`);
  return sent.some(
    (other) =>
      other.status === 'completed' &&
      other.owner?.reference === child.owner?.reference &&
      versions.indexOf(documentOf(other)) > versions.indexOf(documentOf(child)),
  );
}

function documentOf(child: Task): string | undefined {
  return inputs(child, 'document')[0]?.valueReference?.reference;
}
