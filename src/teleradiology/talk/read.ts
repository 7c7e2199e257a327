/**
 * Reading receipts (CM-1): `Communication/[id]/$read` for one message, `Task/[id]/$read-messages` for all of a case. The one instant of
 * `Communication.received` cannot name several readers: each has an extension of their own.
 */
import type { Communication, Parameters } from '@medplum/fhirtypes';
import type { FhirTransaction, Operation } from '../../fhir/index.ts';
import { FhirError } from '../../fhir/index.ts';
import type { CaseTask } from '../shell/case-task.ts';
import { isTaskOf } from '../shell/case-task.ts';
import { caseIdOf, isTalk, refused, withReading } from './message.ts';
import { refuseStranger } from './parties.ts';

/** Messages of a case looked at, newest first. */
const mostMessages = 1_000;

/** @throws FhirError 404 when this is no message of a case. */
async function caseOf(tx: FhirTransaction, id: string | undefined): Promise<CaseTask> {
  const task = id === undefined ? undefined : await tx.find('Task', id);
  if (task === undefined || !isTaskOf(task, 'teleradiology-case'))
    throw new FhirError(404, 'not-found', 'This is not a case of teleradiology, nor a message of one.');
  return task as CaseTask;
}

/** Two readers at once must both be kept. */
async function lockTalk(tx: FhirTransaction, task: CaseTask): Promise<void> {
  await refuseStranger(tx, task);
  await tx.lock(`talk:${task.id}`);
}

async function markRead(tx: FhirTransaction, message: Communication & { id: string }): Promise<Communication> {
  const { actor } = tx.context;
  const read = withReading(message, { reference: actor.reference, display: actor.display }, tx.context.now());
  return read === message ? message : tx.update({ ...read, id: message.id });
}

/** Messages about the case, newest first. */
async function messagesOf(tx: FhirTransaction, task: CaseTask): Promise<(Communication & { id: string })[]> {
  const request = task.focus?.reference;
  if (request === undefined) return [];
  const found = await tx.search('Communication', `based-on=${request}&_sort=-sent&_count=${mostMessages}`);
  return found.filter((each) => isTalk(each) && caseIdOf(each) === task.id) as (Communication & { id: string })[];
}

export const readOperations: readonly Operation[] = [
  {
    name: 'read',
    type: 'Communication',
    level: 'instance',
    seesWhole: true,
    affectsState: true,
    async run({ tx, id = '' }): Promise<Communication> {
      const message = await tx.read('Communication', id);
      if (!isTalk(message)) throw refused('Seuls les messages d’un dossier se marquent lus.', 'Communication.category');
      const task = await caseOf(tx, caseIdOf(message));
      await lockTalk(tx, task);
      return markRead(tx, (await tx.read('Communication', id)) as Communication & { id: string });
    },
  },
  {
    name: 'read-messages',
    type: 'Task',
    level: 'instance',
    seesWhole: true,
    affectsState: true,
    async run({ tx, id }): Promise<Parameters> {
      const task = await caseOf(tx, id);
      await lockTalk(tx, task);
      let count = 0;
      for (const message of await messagesOf(tx, task)) if ((await markRead(tx, message)) !== message) count++;
      return { resourceType: 'Parameters', parameter: [{ name: 'count', valueInteger: count }] };
    },
  },
];
