/** Scans of certificates: DocumentReference about the professional, its file within. */
import type { DocumentReference } from '@medplum/fhirtypes';
import type { FhirClient } from '../fhir/client.ts';
import { type QualificationCode, qualificationNames, qualificationSystem } from './qualifications.ts';

const largestBytes = 5 * 1024 * 1024;
const types: readonly string[] = ['application/pdf', 'image/jpeg', 'image/png'];

/** @throws Error in French for a file of another type or too large. */
export async function storeScan(client: FhirClient, practitioner: string, code: QualificationCode, file: File) {
  if (!types.includes(file.type)) throw new Error('La pièce doit être un PDF, un JPEG ou un PNG.');
  if (file.size > largestBytes) throw new Error('La pièce dépasse 5 Mo.');
  const document: DocumentReference = {
    resourceType: 'DocumentReference',
    status: 'current',
    type: { coding: [{ system: qualificationSystem, code }], text: qualificationNames[code] },
    category: [
      { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/document-category', code: 'professional' }] },
    ],
    subject: { reference: `Practitioner/${practitioner}` },
    description: `${qualificationNames[code]} : ${file.name.slice(0, 100)}`,
    content: [{ attachment: { contentType: file.type, title: file.name.slice(0, 100), data: await base64Of(file) } }],
  };
  return client.create(document);
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const pieceBytes = 0x8000;
  let text = '';
  for (let at = 0; at < bytes.length; at += pieceBytes)
    text += String.fromCharCode(...bytes.subarray(at, at + pieceBytes));
  return btoa(text);
}

/** The file of a document. */
export function scanOf({ content, description }: DocumentReference): { blob: Blob; name: string } {
  const attachment = content[0]?.attachment;
  const bytes = Uint8Array.from(atob(attachment?.data ?? ''), (character) => character.charCodeAt(0));
  return {
    blob: new Blob([bytes], { type: attachment?.contentType ?? 'application/octet-stream' }),
    name: attachment?.title ?? description ?? 'piece',
  };
}
