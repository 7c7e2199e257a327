/** Attaches a scanned prescription or consent to the case (IN-7). */
import { Alert, Button, FileInput, Select } from '@mantine/core';
import type { Task } from '@medplum/fhirtypes';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';
import { attachmentKinds, attachTo } from './attach-to-case.ts';

const accepted = 'application/pdf,image/jpeg';

export function AttachFile({ task }: { task: Task }): JSX.Element | null {
  const { client } = useServices();
  const queries = useQueryClient();
  const session = useSession();
  const [file, setFile] = useState<File | null>(null);
  // Chosen each time: a consent filed as a prescription is not found again.
  const [kind, setKind] = useState<string | null>(null);
  const attach = useMutation({
    mutationFn: async () => (file === null || kind === null ? undefined : attachTo(client, task, file, kind)),
    onSuccess: () => {
      setFile(null);
      setKind(null);
    },
    onSettled: () => queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === task.id }),
  });
  if (!hasRole(session, 'requester', 'technologist')) return null;
  return (
    <form
      className="stack attach-file"
      onSubmit={(event) => {
        event.preventDefault();
        attach.mutate();
      }}
    >
      <FileInput
        label="Joindre une pièce (PDF ou JPEG, 20 Mo au plus)"
        placeholder="Choisir un fichier"
        accept={accepted}
        value={file}
        onChange={setFile}
        clearable
      />
      {file === null ? null : (
        <>
          <Select
            label="Nature"
            data={attachmentKinds}
            value={kind}
            placeholder="Choisir"
            onChange={setKind}
            allowDeselect={false}
          />
          <Button type="submit" size="compact-sm" disabled={kind === null} loading={attach.isPending}>
            Joindre au dossier
          </Button>
        </>
      )}
      {attach.isError ? (
        <Alert color="red" role="alert">
          {messageOf(attach.error)}
        </Alert>
      ) : null}
      {attach.isSuccess && file === null ? <p role="status">Pièce jointe au dossier.</p> : null}
    </form>
  );
}
