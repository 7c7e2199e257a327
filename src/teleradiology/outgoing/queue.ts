/** Queues what goes back to the establishment, with the child Task that shows it to people (OUT-6). */
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { setDueTime } from '../clock/index.ts';
import { codeSystem, concept } from '../codes.ts';
import type { Room } from '../room.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf, withInput } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/gather-facts.ts';
import type { TaskWrites } from '../shell/task-writes.ts';

/** Somebody is told when the establishment has not acknowledged it in time: retries alone would be silent. */
export async function watchDelivery(
  scene: { tx: FhirTransaction; now: Date },
  task: CaseTask,
  childId: string,
): Promise<void> {
  const { tx, now } = scene;
  const { deliveryMinutes } = establishmentSettings(await establishmentOf(tx, task));
  const dueAt = new Date(now.getTime() + deliveryMinutes * 60_000);
  await setDueTime(tx.sql, tx.context.tenant, { caseId: task.id, kind: 'undelivered', key: childId, dueAt }, true);
}

/** One item to the RIS of the case's establishment. A case without an establishment has nobody to answer. */
export async function queueDelivery(
  scene: { room: Room; writes: TaskWrites; tx: FhirTransaction; actor: { reference: string }; now: Date },
  task: CaseTask,
  kind: 'request-answer' | 'report-mdm' | 'report-oru' | 'attachment-mdm',
  title: string,
  /** DocumentReference that is sent, where it is not the report. */
  document?: string,
): Promise<void> {
  const establishment = idOf(task.requester, 'Organization');
  if (establishment === undefined) return;
  const child: Task & { id: string } = {
    resourceType: 'Task',
    id: randomUUID(),
    status: 'requested',
    intent: 'order',
    code: concept(codeSystem.taskCode, 'deliver', title),
    description: title,
    partOf: [{ reference: `Task/${task.id}` }],
    focus: task.focus,
    for: task.for,
    // Who decided or signed: what is sent names them, also after the case went to somebody else.
    requester: { reference: scene.actor.reference },
    owner: { reference: `Organization/${establishment}` },
    authoredOn: scene.now.toISOString(),
    lastModified: scene.now.toISOString(),
  };
  const whole =
    document === undefined ? child : withInput(child, 'attachment', { valueReference: { reference: document } });
  await scene.writes.create(scene.tx, whole);
  await watchDelivery(scene, task, child.id);
  await scene.room.delivery.enqueue(scene.tx, {
    destination: `ris:${establishment}`,
    kind,
    focus: `Task/${task.id}`,
    task: `Task/${child.id}`,
  });
}
