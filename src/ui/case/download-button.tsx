/** A button that fetches a file and hands it to the browser, and says so when it cannot. */
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { JSX } from 'react';
import { messageOf } from '../fhir/problem.ts';
import { saveBlob } from './save-blob.ts';

interface DownloadButtonProps {
  label: string;
  /** Without patient data: it stays in download folders. */
  fileName: string;
  fetchFile: () => Promise<Blob>;
}

export function DownloadButton({ label, fileName, fetchFile }: DownloadButtonProps): JSX.Element {
  const download = useMutation({ mutationFn: fetchFile, onSuccess: (blob) => saveBlob(blob, fileName) });
  return (
    <>
      <Button size="compact-sm" variant="default" loading={download.isPending} onClick={() => download.mutate()}>
        {label}
      </Button>
      {download.isError ? (
        <span role="alert" className="inline-error">
          {messageOf(download.error)}
        </span>
      ) : null}
    </>
  );
}
