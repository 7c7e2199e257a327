/** Publier: who publishes sees first what is wrong with the month, and whether it is late. */
import { Alert, Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchDateTime } from '../time/format.ts';
import { ofMonth, type Rota } from './month.ts';
import { WarningList } from './warning-list.tsx';

interface PublishDialogProps {
  establishment: string;
  rota: Rota;
  now: Date;
  onDone(): void;
  onClose(): void;
}

export function PublishDialog({ establishment, rota, now, onDone, onClose }: PublishDialogProps): JSX.Element {
  const { client } = useServices();
  const publish = useMutation({
    mutationFn: () =>
      client.operate('Schedule/$publish', {
        resourceType: 'Parameters',
        parameter: [
          { name: 'establishment', valueReference: { reference: `Organization/${establishment}` } },
          { name: 'month', valueString: rota.month },
        ],
      }),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  const isLate = rota.published === undefined && now.getTime() > Date.parse(rota.publishBefore);
  return (
    <Dialog onClose={onClose} title={`Publier le tableau ${ofMonth(rota.month)}`} size="lg">
      <div className="stack">
        {isLate ? (
          <Alert color="red" role="alert">
            Publication tardive : elle était due le {frenchDateTime(rota.publishBefore)} au plus tard. Elle sera
            signalée comme telle.
          </Alert>
        ) : null}
        <p>Chaque personne du tableau, l’établissement et les coordonnateurs seront prévenus.</p>
        <WarningList warnings={rota.warnings} />
        {publish.isError ? <ErrorBanner error={publish.error} /> : null}
        <Button loading={publish.isPending} onClick={() => publish.mutate()}>
          Publier
        </Button>
      </div>
    </Dialog>
  );
}
