/** Attaches a scanned prescription or consent to the case (IN-7): a Binary and the DocumentReference about it, as any FHIR client would. */
import { Alert, Button, FileInput, Select } from '@mantine/core';
import type { Binary, DocumentReference, Task } from '@medplum/fhirtypes';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import type { FhirClient } from '../fhir/client.ts';
import { useServices } from '../fhir/client-context.tsx';
import { messageOf } from '../fhir/problem.ts';
import { systems } from '../fhir/systems.ts';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';

const kinds = [
  { value: 'prescription', label: 'Ordonnance' },
  { value: 'consent', label: 'Consentement signé' },
  { value: 'questionnaire', label: 'Questionnaire de sécurité' },
  { value: 'other', label: 'Autre pièce' },
];
const accepted = 'application/pdf,image/jpeg';
const largestFile = 20 * 1024 * 1024;

export function AttachFile({ task }: { task: Task }): JSX.Element | null {
  const { client } = useServices();
  const queries = useQueryClient();
  const session = useSession();
  const [file, setFile] = useState<File | null>(null);
  const [kind, setKind] = useState('prescription');
  const attach = useMutation({
    mutationFn: async () => (file === null ? undefined : attachTo(client, task, file, kind)),
    onSuccess: () => setFile(null),
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
            data={kinds}
            value={kind}
            onChange={(value) => setKind(value ?? 'other')}
            allowDeselect={false}
          />
          <Button type="submit" size="compact-sm" loading={attach.isPending}>
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

const titleOf = (kind: string): string => kinds.find(({ value }) => value === kind)?.label ?? 'Pièce jointe';

/** In pieces: a call with twenty million arguments would end the page. */
async function base64Of(file: File): Promise<string> {
  const octets = new Uint8Array(await file.arrayBuffer());
  const pieceLength = 0x8000;
  let binary = '';
  for (let at = 0; at < octets.length; at += pieceLength)
    binary += String.fromCharCode(...octets.subarray(at, at + pieceLength));
  return btoa(binary);
}
