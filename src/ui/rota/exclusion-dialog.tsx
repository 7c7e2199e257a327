/** Exclure, rétablir: said in full before it is done, for it takes effect at once (CM-5). */
import { Alert, Button, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import type { Reader } from './readers.ts';

interface ExclusionDialogProps {
  reader: Reader;
  establishment: string;
  onDone(): void;
  onClose(): void;
}

export function ExclusionDialog({ reader, establishment, onDone, onClose }: ExclusionDialogProps): JSX.Element {
  const { client } = useServices();
  const [reason, setReason] = useState('');
  const verb = reader.excluded ? '$reinstate' : '$exclude';
  const decide = useMutation({
    mutationFn: () =>
      client.operate(`Organization/${establishment}/${verb}`, {
        resourceType: 'Parameters',
        parameter: [
          { name: 'practitioner', valueReference: { reference: reader.reference } },
          ...(reader.excluded ? [] : [{ name: 'reason', valueString: reason.trim() }]),
        ],
      }),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  return (
    <Dialog onClose={onClose} title={reader.excluded ? `Rétablir ${reader.name}` : `Exclure ${reader.name}`}>
      <div className="stack">
        {reader.excluded ? (
          <p>Ce radiologue pourra de nouveau être planifié, prendre des dossiers et signer.</p>
        ) : (
          <>
            <Alert color="red">
              Effet immédiat : ses dossiers en cours pour cet établissement sont rendus à la liste de travail, il ne
              peut plus en prendre ni signer, ses gardes à venir ne comptent plus. Il en est prévenu, les coordonnateurs
              aussi.
            </Alert>
            <Textarea
              label="Motif"
              required
              maxLength={1000}
              autosize
              minRows={2}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          </>
        )}
        {decide.isError ? <ErrorBanner error={decide.error} /> : null}
        <Button
          color={reader.excluded ? 'cyan' : 'red'}
          loading={decide.isPending}
          disabled={!reader.excluded && reason.trim() === ''}
          onClick={() => decide.mutate()}
        >
          {reader.excluded ? 'Rétablir' : 'Exclure maintenant'}
        </Button>
      </div>
    </Dialog>
  );
}
