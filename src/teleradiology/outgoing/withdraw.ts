/**
 * Withdraws what an establishment received of a case found to be an error (workflow §2, state 19): a message of its own for each version it
 * holds as good, queued like any report. The case's lock makes it once: a delivery that has its withdrawal is not withdrawn again.
 */
import type { Organization, Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { establishmentSettings } from '../settings.ts';
import { type CaseTask, idOf, inputsOf, outputsOf } from '../shell/case-task.ts';
import { deliveriesOf, documentOf, type OutgoingScene, queue, type WithdrawalKind } from './queue.ts';

/** Kinds of outbox items that withdraw. */
export function isWithdrawal(kind: string): boolean {
  return kind.startsWith('withdrawal-');
}

/**
 * To everybody who has a report of this case, or may have it: sent, and no answer came. Of several versions the last one received was put in
 * the place of those before it, so it is withdrawn alone, with the later ones nobody is sure of. What was refused or never left is nobody's.
 */
export async function queueWithdrawals(scene: OutgoingScene, task: CaseTask): Promise<void> {
  const children = await deliveriesOf(scene.tx, task);
  const withdrawn = new Set(children.flatMap((child) => withdraws(child) ?? []));
  const versions = outputsOf(task, 'document').map(({ valueReference }) => valueReference?.reference);
  const reports = children
    .filter((child) => documentOf(child) !== undefined)
    .sort((one, other) => versions.indexOf(documentOf(one)) - versions.indexOf(documentOf(other)));
  for (const [owner, sent] of Map.groupBy(reports, (child) => child.owner?.reference)) {
    const establishment = idOf({ reference: owner }, 'Organization');
    if (establishment === undefined) continue;
    for (const report of stillHeld(sent)) {
      if (withdrawn.has(`Task/${report.id}`)) continue;
      await queue(scene, task, {
        establishment,
        kind: await kindFor(scene.tx, establishment),
        title: 'Annulation du compte rendu',
        withdraws: `Task/${report.id}`,
      });
    }
  }
}

/** @param sent versions to one establishment, the oldest first. */
function stillHeld(sent: readonly Task[]): Task[] {
  const last = sent.findLastIndex(({ status }) => status === 'completed');
  return sent.filter((child, index) => index === last || (index > last && mayHaveArrived(child)));
}

function mayHaveArrived(child: Task): boolean {
  return outputsOf(child, 'perhaps-received').some(({ valueBoolean }) => valueBoolean === true);
}

function withdraws(child: Task): string | undefined {
  return inputsOf(child, 'withdraws')[0]?.valueReference?.reference;
}

/** As the contract of who is told says, whoever asked for the exam. */
async function kindFor(tx: FhirTransaction, establishment: string): Promise<WithdrawalKind> {
  const organization: Organization | undefined = await tx.find('Organization', establishment);
  const { withdrawalFormat, reportFormat } = establishmentSettings(organization);
  if (withdrawalFormat === 'wrong-result') return 'withdrawal-result';
  return reportFormat === 'report-oru' ? 'withdrawal-oru' : 'withdrawal-mdm';
}
