/** Queues what goes back to the establishment, with the child Task that shows it to people (OUT-6). */
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { setDueTime } from '../clock/index.ts';
import { codeSystem, concept } from '../codes.ts';
import type { Room } from '../room.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf, inputsOf, outputsOf, withInput } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
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

interface Scene {
  room: Room;
  writes: TaskWrites;
  tx: FhirTransaction;
  actor: { reference: string };
  now: Date;
}

type Other = 'request-answer' | 'attachment-mdm';

/** An answer, or a file of the case, to the RIS of its establishment. A case without an establishment has nobody to answer. */
export async function queueDelivery(
  scene: Scene,
  task: CaseTask,
  kind: Other,
  title: string,
  /** DocumentReference that is sent. */
  attachment?: string,
): Promise<void> {
  const establishment = idOf(task.requester, 'Organization');
  if (establishment !== undefined) await queue(scene, task, { establishment, kind, title, attachment });
}

/** The last signed version, to everybody who was sent a version before and to the establishment (RP-6). */
export async function queueReport(scene: Scene, task: CaseTask, kind: 'report-mdm' | 'report-oru'): Promise<void> {
  const document = lastDocument(task);
  const sent = await reportDeliveries(scene.tx, task);
  const title = sent.length === 0 ? 'Compte rendu signé' : 'Compte rendu modifié';
  const recipients = [task.requester, ...sent.map(({ owner }) => owner)].flatMap(
    (each) => idOf(each, 'Organization') ?? [],
  );
  for (const establishment of new Set(recipients)) await queue(scene, task, { establishment, kind, title, document });
}

/** The CDA of the last signed version: each version names its PDF, then its CDA. */
export function lastDocument(task: Task): string | undefined {
  return outputsOf(task, 'document').at(-1)?.valueReference?.reference;
}

/** Document that a delivery carries; undefined for an answer. */
export function documentOf(child: Task | undefined): string | undefined {
  return child && inputsOf(child, 'document')[0]?.valueReference?.reference;
}

async function reportDeliveries(tx: FhirTransaction, task: CaseTask): Promise<Task[]> {
  const code = encodeURIComponent(`${codeSystem.taskCode}|deliver`);
  const children = await tx.search('Task', `part-of=Task/${task.id}&code=${code}`);
  return children.filter((child) => documentOf(child) !== undefined);
}

interface Item {
  establishment: string;
  kind: Other | 'report-mdm' | 'report-oru';
  title: string;
  /** Reference of the signed document, or of the file, that it carries. */
  document?: string | undefined;
  attachment?: string | undefined;
}

async function queue(scene: Scene, task: CaseTask, item: Item): Promise<void> {
  const { establishment, kind, title } = item;
  const bare: CaseTask = {
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
  const child = (['document', 'attachment'] as const).reduce(
    (made, name) => (item[name] ? withInput(made, name, { valueReference: { reference: item[name] } }) : made),
    bare,
  );
  await scene.writes.create(scene.tx, child);
  await watchDelivery(scene, task, child.id);
  await scene.room.delivery.enqueue(scene.tx, {
    destination: `ris:${establishment}`,
    kind,
    focus: `Task/${task.id}`,
    task: `Task/${child.id}`,
  });
}
