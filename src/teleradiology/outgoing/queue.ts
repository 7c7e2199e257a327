/** Queues what goes back to the establishment, with the child Task that shows it to people (OUT-6). */
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { codeSystem, concept } from '../codes.ts';
import type { Room } from '../room.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';
import type { TaskWrites } from '../shell/task-writes.ts';

/** One item to the RIS of the case's establishment. A case without an establishment has nobody to answer. */
export async function queueDelivery(
  scene: { room: Room; writes: TaskWrites; tx: FhirTransaction; actor: { reference: string }; now: Date },
  task: CaseTask,
  kind: 'request-answer' | 'report-mdm' | 'report-oru',
  title: string,
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
  await scene.writes.create(scene.tx, child);
  await scene.room.delivery.enqueue(scene.tx, {
    destination: `ris:${establishment}`,
    kind,
    focus: `Task/${task.id}`,
    task: `Task/${child.id}`,
  });
}
