/** Opens or saves a document kept as a Binary. */
import type { DocumentReference } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { DownloadButton } from './download-button.tsx';

export function AttachmentLink({ document, label }: { document: DocumentReference; label?: string }): JSX.Element {
  const { client } = useServices();
  const attachment = document.content[0]?.attachment;
  const name = label ?? attachment?.title ?? document.description ?? 'Document';
  return (
    <DownloadButton
      label={name}
      fileName={fileName(document, name)}
      fetchFile={() => client.bytes(attachment?.url ?? '', attachment?.contentType ?? '*/*')}
    />
  );
}

const endings: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/xml': 'xml',
  'application/xml': 'xml',
  'image/jpeg': 'jpg',
  'image/png': 'png',
};

/** No patient data in a file name: it stays in download folders. */
function fileName(document: DocumentReference, name: string): string {
  const ending = endings[document.content[0]?.attachment.contentType?.split(';')[0] ?? ''];
  const stem = `${name} ${document.id ?? ''}`.normalize('NFD').replace(/[^\w-]+/g, '-');
  return ending ? `${stem}.${ending}` : stem;
}
