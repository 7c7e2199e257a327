/**
 * A file that was deposited as a Binary before the document that names it (IN-7). Whoever knows its id could else attach, and so read and send to an
 * establishment, what belongs to another patient: it must be of the case, or of nobody yet, and is the case's from then on.
 */
import type { Binary, DocumentReference } from '@medplum/fhirtypes';
import { type FhirTransaction, labelsOf } from '../../fhir/index.ts';
import { type CaseTask, idOf } from '../shell/case-task.ts';

/** The file at this address, bound to the case; undefined where there is none, and where it is not this case's: nothing tells them apart. */
export async function depositedFile(
  tx: FhirTransaction,
  url: string | undefined,
  document: DocumentReference & { id: string },
  task: CaseTask,
): Promise<Binary | undefined> {
  const id = /^Binary\/([A-Za-z0-9.-]{1,64})$/.exec(url ?? '')?.[1];
  const binary = id === undefined ? undefined : await tx.find('Binary', id);
  if (binary === undefined || !isOfCase(binary, task) || !isWriters(binary, task, tx)) return undefined;
  if (binary.securityContext !== undefined) return binary;
  if (await isAnothers(tx, `Binary/${id}`, document)) return undefined;
  return tx.update<Binary>({ ...binary, securityContext: { reference: `Task/${task.id}` } });
}

/** What it says of itself: its case, the request or the patient of it, or nothing yet. */
function isOfCase({ securityContext }: Binary, task: CaseTask): boolean {
  const said = securityContext?.reference;
  return said === undefined || [`Task/${task.id}`, task.focus?.reference, task.for?.reference].includes(said);
}

/** Of the case's establishment, and of one the writer speaks for; who is bound to none sees what is labelled with none, too. */
function isWriters(binary: Binary, task: CaseTask, { context }: FhirTransaction): boolean {
  const labels = labelsOf(binary);
  const own = context.establishments ?? [];
  if (labels.length === 0) return own.length === 0;
  const asked = idOf(task.requester, 'Organization');
  return (
    (asked === undefined || labels.includes(asked)) && (own.length === 0 || labels.some((label) => own.includes(label)))
  );
}

/** Named by a document of another patient: the file is that one's. */
async function isAnothers(tx: FhirTransaction, reference: string, document: DocumentReference): Promise<boolean> {
  const naming = await tx.search('DocumentReference', `location=${reference}`);
  return naming.some(({ id, subject }) => id !== document.id && subject?.reference !== document.subject?.reference);
}
