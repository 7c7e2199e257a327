/** What a problem does to the cases it concerns: they are held where they stand, and whoever reads is told (ID-2). */
import type { FhirTransaction } from '../../fhir/index.ts';
import { type CaseState, inHand, signedStates } from '../case/index.ts';
import { idOf } from '../shell/case-task.ts';
import { communication, responsible } from '../shell/communication.ts';
import { readCase, type Shell, transition } from '../shell/perform.ts';
import { issueKinds } from './issue-kinds.ts';
import { type Problem, reportProblem } from './problem.ts';

/** States of a case nobody has taken yet: the request goes back to identity vigilance. */
const holdable: readonly CaseState[] = [
  'received',
  'information-wanted',
  'protocol-wanted',
  'protocoled',
  'acquiring',
  'ready',
];

/** Names the problem once, and holds its cases when it is new. */
export async function raiseProblem(shell: Shell, tx: FhirTransaction, problem: Problem): Promise<void> {
  const { created } = await reportProblem(tx, problem);
  if (!created) return;
  for (const { id } of problem.cases) await holdCase(shell, tx, id, problem);
}

/**
 * A case that is not in hand waits for identity vigilance, where its images are not set apart already; one in hand cannot be signed, and its
 * reader is told; a report that has not left stays.
 */
export async function holdCase(
  shell: Shell,
  tx: FhirTransaction,
  caseId: string,
  problem: Pick<Problem, 'code' | 'detail'>,
): Promise<void> {
  const { blocks, also } = issueKinds[problem.code];
  const { task, state } = await readCase(tx, caseId);
  if (signedStates.includes(state)) await shell.delivery.hold(tx, `Task/${caseId}`);
  if (blocks === 'reading' && holdable.includes(state))
    await transition(shell, tx, task, state, { event: 'hold-identity', bySystem: true });
  // The case stays where it is; the clock of identity vigilance starts.
  else await transition(shell, tx, task, state, { event: 'settle', bySystem: true });
  if (!inHand.includes(state) && !signedStates.includes(state)) return;
  const owner = idOf(task.owner, 'Practitioner');
  await tx.create(
    communication(task, {
      category: 'identity-problem',
      text: `${problem.detail} La signature et l'envoi attendent ${also === undefined ? "la décision de l'identitovigilance" : "que quelqu'un dise ce qu'il a vérifié"}.`,
      recipients: owner === undefined ? await responsible(tx, task) : [{ reference: `Practitioner/${owner}` }],
      sent: tx.context.now(),
      urgent: true,
    }),
  );
}
