/** Demander un échange: of a shift of one's own; of a colleague's, only who and when. */
import { Button, Select, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { dutyNames, frenchDay, hoursText, localFormats, type Rota, type Shift } from './month.ts';
import type { Reader } from './readers.ts';

interface AskSwapDialogProps {
  shift: Shift;
  rota: Rota;
  readers: readonly Reader[];
  isOwn: boolean;
  onDone(): void;
  onClose(): void;
}

export function AskSwapDialog({ shift, rota, readers, isOwn, onDone, onClose }: AskSwapDialogProps): JSX.Element {
  const { client } = useServices();
  const [to, setTo] = useState<string | null>(null);
  const [reason, setReason] = useState('');
  const ask = useMutation({
    mutationFn: () =>
      client.operate(`Slot/${shift.slot}/$ask-swap`, {
        resourceType: 'Parameters',
        parameter: [
          ...(to === null ? [] : [{ name: 'to', valueReference: { reference: to } }]),
          ...(reason.trim() === '' ? [] : [{ name: 'reason', valueString: reason.trim() }]),
        ],
      }),
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  const formats = localFormats(rota.timeZone);
  return (
    <Dialog onClose={onClose} title={`${dutyNames[shift.kind]} : ${shift.name}`}>
      <div className="stack">
        <p>
          {frenchDay(formats.day(shift.start))}, {hoursText(shift, formats)}
        </p>
        {isOwn ? (
          <>
            <Select
              label="Échanger avec (facultatif)"
              data={readers
                .filter(({ excluded, reference }) => !excluded && reference !== shift.practitioner)
                .map(({ reference, name }) => ({ value: reference, label: name }))}
              value={to}
              onChange={setTo}
              clearable
            />
            <Textarea
              label="Motif (facultatif)"
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
            {ask.isError ? <ErrorBanner error={ask.error} /> : null}
            <Button loading={ask.isPending} onClick={() => ask.mutate()}>
              Demander l’échange au coordonnateur
            </Button>
          </>
        ) : null}
      </div>
    </Dialog>
  );
}
