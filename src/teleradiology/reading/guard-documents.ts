/**
 * What was signed, or said with a message, stays what it was (design §5 rule 4): documents of a case and their octets are written by the
 * platform alone. What a site joins to a case itself has rules of its own (request/attach-document.ts).
 */
import type { Binary, DocumentReference, Resource } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { idOf, outputsOf } from '../shell/case-task.ts';
import { isPlainWrite } from '../talk/index.ts';

/** For the guard before commit. @throws FhirError 422 for a client's change of a document of a case, or of its octets. */
export async function guardDocument({ type, before }: Change, tx: FhirTransaction): Promise<void> {
  if (before === undefined || !isPlainWrite(tx.context.interaction)) return;
  const isOurs = type === 'Binary' ? isOfCase(before) : type === 'DocumentReference' && (await isSigned(tx, before));
  if (!isOurs) return;
  throw FhirError.of(422, [
    {
      severity: 'error',
      code: 'business-rule',
      details: { text: 'Un document signé, ou joint à un message, ne se change ni ne s’efface.' },
      diagnostics: 'signed documents and files of messages are written by the platform alone',
      expression: [type],
    },
  ]);
}

/** Octets of a report, or of a file of the chat. */
function isOfCase(stored: Resource): boolean {
  const { reference } = (stored as Binary).securityContext ?? {};
  return idOf({ reference }, 'DiagnosticReport') !== undefined || idOf({ reference }, 'Task') !== undefined;
}

/** One that its case names: what a client writes in its own document proves nothing. */
async function isSigned(tx: FhirTransaction, stored: Resource): Promise<boolean> {
  const document = stored as DocumentReference;
  for (const related of document.context?.related ?? []) {
    const id = idOf(related, 'Task');
    const task = id === undefined ? undefined : await tx.find('Task', id);
    const named = task === undefined ? [] : outputsOf(task, 'document');
    if (named.some(({ valueReference }) => valueReference?.reference === `DocumentReference/${document.id}`))
      return true;
  }
  return false;
}
