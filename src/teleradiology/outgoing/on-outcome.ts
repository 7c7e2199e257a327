/** What became of a delivery, told in the transaction that records it: the child Task, the case, the coordinator (OUT-6). */
import type { Communication, Task } from '@medplum/fhirtypes';
import type { DeliveryItem, DeliveryResult } from '../../delivery/contract.ts';
import type { FhirTransaction } from '../../fhir/index.ts';
import { signedStates } from '../case/index.ts';
import { type CaseTask, idOf, outputsOf, stateOf, withOutput, withoutOutputs } from '../shell/case-task.ts';
import { communication, coordinators } from '../shell/communication.ts';
import { perform, type Shell, systemActor } from '../shell/perform.ts';
import { mailPrefix } from '../talk/send-notice.ts';
import { documentOf, lastDocument, type WithdrawalKind, watchDelivery } from './queue.ts';
import { isWithdrawal, queueWithdrawals } from './withdraw.ts';

export async function onOutcome(
  shell: Shell,
  item: DeliveryItem,
  result: DeliveryResult,
  tx: FhirTransaction,
): Promise<void> {
  // What becomes of an e-mail is the operator's to see: it told nothing that the case does not tell.
  if (item.destination.startsWith(mailPrefix)) return;
  const caseId = idOf({ reference: item.focus }, 'Task');
  // The case before its child, as every transition does.
  if (caseId !== undefined) await tx.lock(`case:${caseId}`);
  const childId = idOf({ reference: item.task }, 'Task');
  const child = childId === undefined ? undefined : await tx.find('Task', childId);
  if (child !== undefined) await recordOutcome(shell, tx, child as CaseTask, result);
  const task = caseId === undefined ? undefined : ((await tx.find('Task', caseId)) as CaseTask | undefined);
  if (task === undefined) return;
  // Put back by an operator after it failed: it is watched like a new one.
  if (result.status === 'retry' && child?.status === 'failed')
    await watchDelivery({ tx, now: tx.context.now() }, task, child.id as string);
  // What no longer leaves because the case is an error is no failure of anybody's; its withdrawal must.
  const isError = stateOf(task) === 'entered-in-error';
  if (result.status === 'failed' && (!isError || isWithdrawal(item.kind))) await tellFailure(tx, task, item);
  // A report that was on its way when the case was found to be an error arrived after all, or may have.
  if (isError && documentOf(child) !== undefined && result.status !== 'retry')
    await queueWithdrawals({ room: shell, writes: shell.writes, tx, actor: systemActor, now: tx.context.now() }, task);
  if (result.status === 'delivered' && awaits(task, child))
    await perform(shell, tx, task.id, {
      event: 'report-received',
      bySystem: true,
      facts: { reportAcknowledged: true },
      input: { lastVersion: true },
    });
}

/** The last signed version counts, once: an older one that arrives late says nothing of it, a repeated acknowledgement nothing new. */
function awaits(task: CaseTask, child: Task | undefined): boolean {
  const state = stateOf(task);
  const carried = documentOf(child);
  return (
    state !== undefined &&
    signedStates.includes(state) &&
    carried !== undefined &&
    carried === lastDocument(task) &&
    outputsOf(task, 'acknowledgement').length === 0
  );
}

async function recordOutcome(
  shell: Shell,
  tx: FhirTransaction,
  child: CaseTask,
  result: DeliveryResult,
): Promise<void> {
  const now = tx.context.now().toISOString();
  const status: Task['status'] =
    result.status === 'delivered' ? 'completed' : result.status === 'failed' ? 'failed' : 'in-progress';
  const reason = result.status === 'delivered' ? undefined : result.reason;
  // A retry that says nothing new makes no version.
  if (child.status === status && child.statusReason?.text === reason && status === 'in-progress') return;
  const { statusReason: _reason, ...bare } = child;
  const period = { start: child.executionPeriod?.start ?? now, ...(status === 'in-progress' ? {} : { end: now }) };
  const evidence = result.status === 'retry' ? undefined : result.evidence;
  let next: CaseTask = {
    ...bare,
    status,
    lastModified: now,
    executionPeriod: period,
    ...(reason ? { statusReason: { text: reason } } : {}),
  };
  if (evidence) next = withOutput(withoutOutputs(next, 'evidence'), 'evidence', { valueString: evidence });
  next = withoutOutputs(next, 'perhaps-received');
  if (result.status === 'failed' && result.mayHaveArrived)
    next = withOutput(next, 'perhaps-received', { valueBoolean: true });
  await shell.writes.update(tx, next);
}

/** What did not pass, where it is not the report. */
const failed: Readonly<Record<string, string>> = {
  'request-answer': "L'envoi de la réponse à la demande",
  'attachment-mdm': "L'envoi d'une pièce jointe aux archives de l'établissement",
  ...Object.fromEntries(
    (['withdrawal-mdm', 'withdrawal-oru', 'withdrawal-result'] satisfies WithdrawalKind[]).map((kind) => [
      kind,
      "L'annulation du compte rendu, déclaré erroné,",
    ]),
  ),
};

async function tellFailure(tx: FhirTransaction, task: CaseTask, item: DeliveryItem): Promise<void> {
  const what = failed[item.kind] ?? "L'envoi du compte rendu signé";
  await tx.create<Communication>(
    communication(task, {
      category: 'delivery-failed',
      text: `${what} n'est pas passé : le logiciel de l'établissement l'a refusé. Corrigez la cause, puis relancez l'envoi.`,
      recipients: await coordinators(tx, task),
      sent: tx.context.now(),
      urgent: true,
    }),
  );
}
