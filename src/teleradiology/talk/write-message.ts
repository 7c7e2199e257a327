/**
 * Messages by plain FHIR writes: completed by the server before they are stored, and never changed after (CM-1). What was said was said: a
 * correction is another message. What the platform tells (deadlines, alerts, calls) is written by nobody else.
 */
import type { Communication, Reference, Resource } from '@medplum/fhirtypes';
import type { Change, FhirTransaction } from '../../fhir/index.ts';
import { type CaseTask, isTaskOf } from '../shell/case-task.ts';
import { withStoredFiles } from './attachments.ts';
import { caseIdOf, categoryOf, checkSaid, isTalk, readBy, refused } from './message.ts';
import { addressable, everybody, refuseStranger } from './parties.ts';
import { fromPlatform, isFromPlatform } from './platform-mark.ts';

/** A client's own write; everything else (operations, messages of other protocols, due times) is written by our rules. */
export function isPlainWrite(interaction: string): boolean {
  return !interaction.includes(':') || interaction.startsWith('operation:$');
}

/** For `store.beforeWrite`. @throws FhirError when a client's message is none that may be sent, 422 for what only the platform says of a case. */
export async function completeMessage(resource: Resource, tx: FhirTransaction): Promise<Resource> {
  if (resource?.resourceType !== 'Communication' || !isPlainWrite(tx.context.interaction)) return resource;
  const message: Communication = resource;
  const category = categoryOf(message);
  if (category === undefined || isFromPlatform(message)) return message;
  // One that is there already is not completed: the guard refuses its change.
  if (message.id !== undefined && (await tx.find('Communication', message.id))) return message;
  if (category !== 'message') throw heldByPlatform();
  checkSaid(message);
  const caseId = caseIdOf(message);
  const task = caseId === undefined ? undefined : await tx.find('Task', caseId);
  if (task === undefined || !isTaskOf(task, 'teleradiology-case'))
    throw refused('Un message porte sur un dossier, et un seul.', 'Communication.about');
  await refuseStranger(tx, task as CaseTask);
  const { actor } = tx.context;
  if (message.sender !== undefined && message.sender.reference !== actor.reference)
    throw refused('On n’écrit qu’en son propre nom.', 'Communication.sender');
  return sentMessage(tx, task as CaseTask, message, actor);
}

/** The message as it is stored. */
export async function sentMessage(
  tx: FhirTransaction,
  task: CaseTask,
  said: Communication,
  by: { reference: string; display: string; kind: string },
): Promise<Communication> {
  const now = tx.context.now();
  if (said.subject !== undefined && said.subject.reference !== task.for?.reference)
    throw refused('Le message et le dossier ne sont pas du même patient.', 'Communication.subject');
  const answered = await answeredBy(tx, task, said);
  const sender = { reference: by.reference, display: by.display };
  return fromPlatform({
    ...said,
    status: 'completed',
    subject: task.for as Communication['subject'],
    about: [{ reference: `Task/${task.id}` }],
    ...(task.focus ? { basedOn: [task.focus] } : {}),
    ...(answered ? { partOf: answered.partOf ?? [{ reference: `Communication/${answered.id}` }] } : {}),
    recipient: (await recipientsOf(tx, task, said, answered)) as Communication['recipient'],
    sender: sender as Communication['sender'],
    sent: now.toISOString(),
    ...(by.kind === 'system' ? {} : { extension: [readBy(sender, now)] }),
    payload: await withStoredFiles(tx, task.id, said.payload ?? []),
  });
}

async function answeredBy(
  tx: FhirTransaction,
  task: CaseTask,
  said: Communication,
): Promise<Communication | undefined> {
  const [first, ...others] = said.inResponseTo ?? [];
  if (first === undefined) return undefined;
  const id = /^Communication\/([A-Za-z0-9.-]{1,64})$/.exec(first.reference ?? '')?.[1];
  const answered = id === undefined || others.length > 0 ? undefined : await tx.find('Communication', id);
  if (answered === undefined || !isTalk(answered) || caseIdOf(answered) !== task.id)
    throw refused('On répond à un message du même dossier.', 'Communication.inResponseTo');
  return answered;
}

async function recipientsOf(
  tx: FhirTransaction,
  task: CaseTask,
  said: Communication,
  answered: Communication | undefined,
): Promise<Reference[]> {
  if (!said.recipient?.length) return everybody(tx, task);
  const known = await addressable(tx, task, answered);
  const stranger = said.recipient.findIndex(({ reference }) => !known.some((each) => each.reference === reference));
  if (stranger >= 0)
    throw refused('Le destinataire n’a pas part à ce dossier.', `Communication.recipient[${stranger}]`);
  return said.recipient;
}

const heldByPlatform = () => refused('Cette communication est tenue par la plateforme.', 'Communication.category');

/** For the guard before commit. @throws FhirError 422 for a change of what was said, or into what only the platform says. */
export function guardMessage(change: Change, tx: FhirTransaction): void {
  if (change.type !== 'Communication' || change.before === undefined || !isPlainWrite(tx.context.interaction)) return;
  if (categoryOf(change.before as Communication) !== undefined)
    throw refused('Ce qui a été dit ne se change ni ne s’efface : écrivez un autre message.', 'Communication');
  if (change.after !== undefined && categoryOf(change.after as Communication) !== undefined) throw heldByPlatform();
}
