/** The documents of a report, as stored and as received. */
import { createHash } from 'node:crypto';
import type { Binary, DocumentReference, Task } from '@medplum/fhirtypes';
import { DOMParser } from '@xmldom/xmldom';
import type { Caller } from './people.ts';
import { expect } from './steps.ts';

/** Of the last signed version. @throws Error when the case has no PDF or no CDA. */
export async function storedDocuments(reader: Caller, task: Task): Promise<{ pdf: Uint8Array; cda: Uint8Array }> {
  const documents = await reader.search<DocumentReference>('DocumentReference', { related: `Task/${task.id}` });
  const fetchContent = async (contentType: RegExp) => {
    const attachment = documents
      .filter((item) => item.status === 'current' && isReport(item))
      .map((item) => item.content[0]?.attachment)
      .find((item) => contentType.test(item?.contentType ?? ''));
    expect(attachment?.url, `pas de DocumentReference de type ${contentType}`);
    const id = attachment.url.split('/').at(-1) ?? '';
    const binary = await reader.read<Binary>('Binary', id);
    return Buffer.from(binary.data ?? '', 'base64');
  };
  return { pdf: await fetchContent(/pdf/), cda: await fetchContent(/xml/) };
}

/** Whether it is a report, not a page somebody attached: reports have their type in LOINC. */
export function isReport({ type }: DocumentReference): boolean {
  return type?.coding?.some(({ system }) => system === 'http://loinc.org') === true;
}

/** The PDF in `nonXMLBody/text` of a level-1 CDA. */
export function pdfInside(cda: Buffer): Buffer {
  const document = new DOMParser().parseFromString(cda.toString('utf8'), 'text/xml');
  const body = document.getElementsByTagNameNS('urn:hl7-org:v3', 'nonXMLBody')[0];
  const text = body?.getElementsByTagNameNS('urn:hl7-org:v3', 'text')[0]?.textContent ?? '';
  return Buffer.from(text, 'base64');
}

/** In hexadecimal. */
export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
