/** A scanned page becomes a Binary and the DocumentReference about it, as any FHIR client would make them (IN-7). */
import type { Binary, DocumentReference, Task } from '@medplum/fhirtypes';
import type { FhirClient } from '../fhir/client.ts';
import { systems } from '../fhir/systems.ts';

/** Kinds of attachments, CodeSystem `attachment-kind`. */
export const attachmentKinds = [
  { value: 'prescription', label: 'Ordonnance' },
  { value: 'consent', label: 'Consentement signé' },
  { value: 'questionnaire', label: 'Questionnaire de sécurité' },
  { value: 'other', label: 'Autre pièce' },
];
const largestFile = 20 * 1024 * 1024;

/** @throws Error with a French sentence, FhirProblem for what the server refuses. */
export async function attachTo(client: FhirClient, task: Task, file: File, kind: string): Promise<DocumentReference> {
  if (file.size > largestFile) throw new Error('Le fichier dépasse 20 Mo.');
  const contentType = file.type || 'application/octet-stream';
  const binary = await client.create<Binary>({
    resourceType: 'Binary',
    contentType,
    securityContext: { reference: `Task/${task.id}` },
    data: await base64Of(file),
  });
  return client.create<DocumentReference>({
    resourceType: 'DocumentReference',
    status: 'current',
    type: { coding: [{ system: systems.attachmentKind, code: kind }] },
    ...(task.for ? { subject: task.for as DocumentReference['subject'] } : {}),
    date: new Date().toISOString(),
    // Its name on the workstation may be the patient's: the kind says enough.
    content: [{ attachment: { contentType, url: `Binary/${binary.id}`, size: file.size, title: titleOf(kind) } }],
    context: { related: [{ reference: `Task/${task.id}` }] },
  });
}

const titleOf = (kind: string): string => attachmentKinds.find(({ value }) => value === kind)?.label ?? 'Pièce jointe';

/** In pieces: a call with twenty million arguments would end the page. */
async function base64Of(file: File): Promise<string> {
  const octets = new Uint8Array(await file.arrayBuffer());
  const pieceLength = 0x8000;
  let binary = '';
  for (let at = 0; at < octets.length; at += pieceLength)
    binary += String.fromCharCode(...octets.subarray(at, at + pieceLength));
  return btoa(binary);
}
