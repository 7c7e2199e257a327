/** Opens or saves a document kept as a Binary. */
import { Button } from '@mantine/core';
import type { DocumentReference } from '@medplum/fhirtypes';
import { useMutation } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { saveBlob } from './save-blob.ts';

export function AttachmentLink({ document, label }: { document: DocumentReference; label?: string }): JSX.Element {
  const { client } = useServices();
  const attachment = document.content[0]?.attachment;
  const name = label ?? attachment?.title ?? document.description ?? 'Document';
  const download = useMutation({
    mutationFn: () => client.bytes(attachment?.url ?? '', attachment?.contentType ?? '*/*'),
    onSuccess: (blob) => saveBlob(blob, fileName(document, name)),
  });
  return (
    <>
      <Button size="compact-sm" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
        {name}
      </Button>
      {download.isError ? (
        <span role="alert" className="inline-error">
          {messageOf(download.error)}
        </span>
      ) : null}
    </>
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
