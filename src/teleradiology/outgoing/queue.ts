/** Queues what goes back to the establishment, with the child Task that shows it to people (OUT-6). */
import { randomUUID } from 'node:crypto';
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { setDueTime } from '../clock/index.ts';
import { codeSystem, concept, identifierSystem } from '../codes.ts';
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

/** What queueing needs of an effect's scene, or of the recording of an outcome. */
export interface OutgoingScene {
  room: Room;
  writes: TaskWrites;
  tx: FhirTransaction;
  actor: { reference: string };
  now: Date;
}

type Other = 'request-answer' | 'attachment-mdm';

/** Deletion of the document as MDM or ORU, or its result posted as wrong. */
export type WithdrawalKind = 'withdrawal-mdm' | 'withdrawal-oru' | 'withdrawal-result';

/** An answer, or a file of the case, to the RIS of its establishment. A case without an establishment has nobody to answer. */
export async function queueDelivery(
  scene: OutgoingScene,
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
export async function queueReport(
  scene: OutgoingScene,
  task: CaseTask,
  kind: 'report-mdm' | 'report-oru',
): Promise<void> {
  const document = lastDocument(task);
  const sent = (await deliveriesOf(scene.tx, task)).filter((child) => documentOf(child) !== undefined);
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

/** Everything that was queued for the case. More than this is no case. */
export function deliveriesOf(tx: FhirTransaction, task: CaseTask): Promise<Task[]> {
  const code = encodeURIComponent(`${codeSystem.taskCode}|deliver`);
  return tx.search('Task', `part-of=Task/${task.id}&code=${code}&_count=1000`);
}

interface Item {
  establishment: string;
  kind: Other | WithdrawalKind | 'report-mdm' | 'report-oru';
  title: string;
  /** Reference of the signed document, or of the file, that it carries. */
  document?: string | undefined;
  attachment?: string | undefined;
  /** Child Task of the delivery that is withdrawn. */
  withdraws?: string | undefined;
}

export async function queue(scene: OutgoingScene, task: CaseTask, item: Item): Promise<void> {
  const { establishment, kind, title } = item;
  const id = randomUUID();
  const number = await scene.room.delivery.enqueue(scene.tx, {
    destination: `ris:${establishment}`,
    kind,
    focus: `Task/${task.id}`,
    task: `Task/${id}`,
  });
  const bare: CaseTask = {
    resourceType: 'Task',
    id,
    identifier: [{ system: identifierSystem.delivery, value: number }],
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
  const child = (['document', 'attachment', 'withdraws'] as const).reduce(
    (made, name) => (item[name] ? withInput(made, name, { valueReference: { reference: item[name] } }) : made),
    bare,
  );
  await scene.writes.create(scene.tx, child);
  await watchDelivery(scene, task, child.id);
}
