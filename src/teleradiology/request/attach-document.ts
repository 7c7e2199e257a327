/**
 * A scanned prescription or consent (IN-7): a DocumentReference of kind `attachment-kind` about a case. Its file is looked at before it counts
 * (the malware gate saw it already); the case learns of it, and it goes to the archive of the establishment, with its acknowledgement.
 */
import { createHash } from 'node:crypto';
import type { Attachment, DocumentReference } from '@medplum/fhirtypes';
import { type Change, FhirError, type FhirTransaction } from '../../fhir/index.ts';
import { stateDefinition } from '../case/index.ts';
import { codeOf, codeSystem } from '../codes.ts';
import { blockedBy } from '../identity/issue-kinds.ts';
import { caseOf } from '../identity/shared-number.ts';
import { queueDelivery } from '../outgoing/queue.ts';
import { type CaseTask, idOf, inputsOf, withInput } from '../shell/case-task.ts';
import { establishmentOf } from '../shell/case-view.ts';
import { errorDeclaredBy } from '../shell/error-declared.ts';
import { undecidedIssues } from '../shell/gather-facts.ts';
import { actorOf, readCase, type Shell } from '../shell/perform.ts';
import { depositedFile } from './deposited-file.ts';
import { fileKindOf } from './file-kind.ts';

/** Of one file, in octets. */
const largestAttachment = 20 * 1024 * 1024;
/** Of one document; pages are pages of one file. */
const filesAtMost = 5;
/** Of one case. */
const attachmentsAtMost = 50;

const titles: Readonly<Record<string, string>> = {
  prescription: 'Ordonnance',
  consent: 'Consentement signé',
  questionnaire: 'Questionnaire de sécurité',
  other: 'Pièce jointe',
};

const refusal = (text: string, expression: string): FhirError =>
  new FhirError(422, 'business-rule', text, `DocumentReference.${expression}`);

const kindOf = (document: DocumentReference | undefined): string | undefined =>
  codeOf(document?.type, codeSystem.attachmentKind);

/** Any write of a document that is, or becomes, an attachment of a case. @throws FhirError 422 with what is wrong with it. */
export async function documentWritten(shell: Shell, change: Change, tx: FhirTransaction): Promise<void> {
  const before = change.before as DocumentReference | undefined;
  const after = change.after as (DocumentReference & { id: string }) | undefined;
  if (kindOf(before) !== undefined) return guardStored(before, after);
  const kind = kindOf(after);
  if (after === undefined || kind === undefined) return;
  if (!Object.hasOwn(titles, kind)) throw refusal('Nature de pièce jointe inconnue.', 'type');
  const { task } = await openCaseOf(tx, after);
  await checkFiles(tx, after, task);
  const reference = `DocumentReference/${after.id}`;
  const input = { valueReference: { reference } };
  await shell.writes.update(tx, withInput(task, 'attachment', input));
  await archive(shell, tx, task, titles[kind] ?? kind, reference);
}

/** What was sent to the establishment stays what it was; it can be marked as an error. */
function guardStored(before: DocumentReference | undefined, after: DocumentReference | undefined): void {
  const content = (document: DocumentReference | undefined): string =>
    JSON.stringify([document?.type, document?.subject, document?.context?.related, document?.content]);
  if (after === undefined || content(before) !== content(after))
    throw refusal(
      'Une pièce jointe ne change pas et ne se supprime pas : marquez-la comme erronée, joignez la bonne.',
      'content',
    );
}

/** The case a document names, by itself or by its request. @throws FhirError 422 for none, another patient's, or one that is over. */
async function openCaseOf(tx: FhirTransaction, document: DocumentReference): Promise<{ task: CaseTask }> {
  const related = document.context?.related ?? [];
  const taskId = related.flatMap((each) => idOf(each, 'Task') ?? [])[0];
  const requestId = related.flatMap((each) => idOf(each, 'ServiceRequest') ?? [])[0];
  const id = taskId ?? (requestId === undefined ? undefined : (await caseOf(tx, requestId))?.id);
  if (id === undefined) throw refusal('Une pièce jointe nomme son dossier (Task) ou sa demande.', 'context.related');
  const { task, state } = await readCase(tx, id);
  if (stateDefinition(state)?.final === true) throw refusal('Ce dossier est clos.', 'context.related');
  if (document.subject?.reference !== task.for?.reference)
    throw refusal("La pièce jointe est d'un autre patient que le dossier.", 'subject');
  if (inputsOf(task, 'attachment').length >= attachmentsAtMost)
    throw refusal(`Un dossier a au plus ${attachmentsAtMost} pièces jointes.`, 'context.related');
  return { task };
}

async function checkFiles(
  tx: FhirTransaction,
  document: DocumentReference & { id: string },
  task: CaseTask,
): Promise<void> {
  if (document.content.length > filesAtMost) throw refusal(`Une pièce a au plus ${filesAtMost} fichiers.`, 'content');
  for (const [index, { attachment }] of document.content.entries())
    checkFile(attachment, await octetsOf(attachment, index), `content[${index}].attachment`);

  /** The octets, in the document or in a Binary of this server. */
  async function octetsOf({ data, url }: Attachment, index: number): Promise<Buffer> {
    if (data !== undefined) return Buffer.from(data, 'base64');
    const binary = await depositedFile(tx, url, document, task);
    if (binary === undefined)
      throw refusal(
        'Le fichier est à joindre (data), ou à déposer comme Binary pour ce dossier.',
        `content[${index}].attachment`,
      );
    return Buffer.from(binary.data ?? '', 'base64');
  }
}

function checkFile({ contentType, hash }: Attachment, octets: Buffer, place: string): void {
  if (octets.length > largestAttachment)
    throw refusal(`Un fichier a au plus ${largestAttachment / 1024 / 1024} Mo.`, place);
  const kind = fileKindOf(octets);
  if (kind === undefined) throw refusal('Un document numérisé est un PDF ou un JPEG.', place);
  if (contentType !== kind)
    throw refusal(`Le fichier n'est pas du type annoncé : c'est ${kind}.`, `${place}.contentType`);
  if (hash !== undefined && hash !== createHash('sha1').update(octets).digest('base64'))
    throw refusal('Le fichier ne correspond pas à son empreinte : il est arrivé abîmé.', `${place}.hash`);
}

/** To the establishment's archive, where it has an address; one whose case is held waits with it. */
async function archive(
  shell: Shell,
  tx: FhirTransaction,
  task: CaseTask,
  title: string,
  reference: string,
): Promise<void> {
  if (!(await establishmentOf(tx, task))?.endpoint?.length) return;
  const scene = { room: shell, writes: shell.writes, tx, actor: actorOf(tx), now: tx.context.now() };
  await queueDelivery(scene, task, 'attachment-mdm', title, reference);
  const held = (await undecidedIssues(tx, task.id)).some((issue) => blockedBy(issue) === 'reading');
  if (held || errorDeclaredBy(task) !== undefined) await shell.delivery.hold(tx, `Task/${task.id}`);
}
