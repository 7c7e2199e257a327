/**
 * Files in a message: their bytes go to a Binary of the case, so that a list of messages stays small; whoever reads the message fetches them by
 * `Communication/[id]/$attachment`. The malware gate looks at each Binary before it is stored (SE-8).
 */
import type { Attachment, Binary, CommunicationPayload } from '@medplum/fhirtypes';
import type { FhirTransaction } from '../../fhir/index.ts';
import { refused } from './message.ts';

/** A file of a message, in octets. */
const largestFile = 10 * 1024 * 1024;
const longestTitle = 200;

/** What may be attached, with the first octets of each. Nothing a browser would run. */
const kinds: Readonly<Record<string, readonly number[]>> = {
  'application/pdf': [0x25, 0x50, 0x44, 0x46, 0x2d],
  'image/jpeg': [0xff, 0xd8, 0xff],
  'image/png': [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
};

/** Size of a base64 text in octets, as far as it must be known. */
const octetsOf = (base64: string): number => Math.ceil((base64.length * 3) / 4);

/** @throws FhirError 422 for a file of another kind than it says, too large, or not brought along. */
function fileOf(attachment: Attachment, place: string): Binary {
  const { contentType = '', data, url, title = '' } = attachment;
  const start = kinds[contentType];
  if (url !== undefined || data === undefined)
    throw refused('Une pièce jointe s’envoie avec son contenu (data).', place);
  if (start === undefined) throw refused('Une pièce jointe est un PDF, un JPEG ou un PNG.', `${place}.contentType`);
  if (octetsOf(data) > largestFile + 2)
    throw refused(`Une pièce jointe a au plus ${largestFile / 1024 / 1024} Mo.`, `${place}.data`);
  if (title.length > longestTitle) throw refused('Le nom de la pièce jointe est trop long.', `${place}.title`);
  const octets = Buffer.from(data, 'base64');
  if (!start.every((octet, at) => octets[at] === octet))
    throw refused('La pièce jointe n’est pas du type annoncé.', `${place}.contentType`);
  return { resourceType: 'Binary', contentType, data };
}

/** The parts of a message with their files stored in Binaries of the case; all of them are checked before the first is stored. */
export async function withStoredFiles(
  tx: FhirTransaction,
  caseId: string,
  parts: readonly CommunicationPayload[],
): Promise<CommunicationPayload[]> {
  const files = parts.map(
    ({ contentAttachment }, index) =>
      contentAttachment && fileOf(contentAttachment, `Communication.payload[${index}].contentAttachment`),
  );
  const stored: CommunicationPayload[] = [];
  for (const [index, said] of parts.entries()) {
    const file = files[index];
    if (file === undefined) {
      stored.push(said);
      continue;
    }
    const { id } = await tx.create<Binary>({ ...file, securityContext: { reference: `Task/${caseId}` } });
    const { data, ...attachment } = said.contentAttachment ?? {};
    const size = Buffer.byteLength(data ?? '', 'base64');
    stored.push({ contentAttachment: { ...attachment, url: `Binary/${id}`, size } });
  }
  return stored;
}
