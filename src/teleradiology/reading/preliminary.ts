/** `$issue-preliminary`: what the site may read before the signature, marked as provisional and never sent (workflow §2, 0019). */
import type { Task } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { stateDefinition } from '../case/index.ts';
import { documentOid } from '../request/case-number.ts';
import { actorOf, readCase, type Shell, transition } from '../shell/perform.ts';
import { type DraftInput, draftOf, startedDraft } from './draft.ts';
import { publishPreliminary } from './publish.ts';
import { reportInput } from './report-input.ts';
import { incomplete } from './sign.ts';

/** @throws FhirError as `$sign` does. */
export async function issuePreliminary(
  shell: Shell,
  tx: FhirTransaction,
  id: string,
  input: DraftInput,
  ifMatch?: string,
): Promise<Task> {
  const { task, state } = await readCase(tx, id, ifMatch);
  return transition(shell, tx, task, state, {
    event: 'issue-preliminary',
    input: { reportComplete: true },
    // The machine has found everything else legal before the text is looked at.
    change: async (before) => {
      const signer = actorOf(tx);
      const draft = draftOf(before, await startedDraft(tx, before), input, signer);
      const numbers = { oid: documentOid(), setOid: documentOid(), version: 1 };
      const model = await reportInput(tx, before, draft, numbers, { by: signer, at: tx.context.now() });
      const faults = shell.report.lint(model).filter((issue) => issue.severity === 'error');
      if (faults.length > 0) throw incomplete(faults, stateDefinition(state)?.display ?? state);
      return publishPreliminary(tx, before, draft);
    },
  });
}
