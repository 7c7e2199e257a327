/** One shift: handed to somebody else, swapped for another, or withdrawn; on a published month everybody concerned is told. */
import { Alert, Button, Select } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { dutyNames, frenchDay, hoursText, localFormats, type Rota, type Shift } from './month.ts';
import type { Reader } from './readers.ts';
import { usePeople } from './use-people.ts';

interface ShiftDialogProps {
  shift: Shift;
  rota: Rota;
  readers: readonly Reader[];
  now: Date;
  onDone(): void;
  onClose(): void;
}

const noticeMs = 7 * 86_400_000;

export function ShiftDialog({ shift, rota, readers, now, onDone, onClose }: ShiftDialogProps): JSX.Element {
  const { client } = useServices();
  const [to, setTo] = useState<string | null>(null);
  const [other, setOther] = useState<string | null>(null);
  const formats = localFormats(rota.timeZone);
  const people = usePeople(shift.kind, readers).filter(({ value }) => value !== shift.practitioner);
  const finished = {
    onSuccess: () => {
      onDone();
      onClose();
    },
  };
  const swap = useMutation({
    mutationFn: (name: 'to' | 'with') =>
      client.operate(`Slot/${shift.slot}/$swap`, {
        resourceType: 'Parameters',
        parameter: [{ name, valueReference: { reference: (name === 'to' ? to : other) ?? '' } }],
      }),
    ...finished,
  });
  const withdraw = useMutation({
    mutationFn: async () => {
      const slot = await client.read('Slot', shift.slot);
      return client.update({ ...slot, status: 'entered-in-error' });
    },
    ...finished,
  });
  const isLate = shift.published && Date.parse(shift.start) - now.getTime() < noticeMs;
  const exchangeable = rota.shifts
    .filter((each) => each.kind === shift.kind && each.practitioner !== shift.practitioner)
    .map((each) => ({
      value: `Slot/${each.slot}`,
      label: `${frenchDay(formats.day(each.start))}, ${hoursText(each, formats)}, ${each.name}`,
    }));
  const day = frenchDay(formats.day(shift.start));
  if (shift.published && Date.parse(shift.end) <= now.getTime())
    return (
      <Dialog onClose={onClose} title={`${dutyNames[shift.kind]} : ${shift.name}`}>
        <p>
          {day}, {hoursText(shift, formats)} : garde terminée, elle ne se modifie plus.
        </p>
      </Dialog>
    );
  return (
    <Dialog onClose={onClose} title={`${dutyNames[shift.kind]} : ${shift.name}`}>
      <div className="stack">
        <p>
          {day}, {hoursText(shift, formats)}
        </p>
        {isLate ? (
          <Alert color="red" role="alert">
            Moins de sept jours avant la garde : ce changement sera compté comme tardif, et toutes les personnes
            concernées en seront prévenues.
          </Alert>
        ) : null}
        <Select label="Confier à" data={people} value={to} onChange={setTo} />
        <Button disabled={to === null} loading={swap.isPending} onClick={() => swap.mutate('to')}>
          Confier la garde
        </Button>
        <Select label="Échanger contre" data={exchangeable} value={other} onChange={setOther} searchable />
        <Button disabled={other === null} loading={swap.isPending} onClick={() => swap.mutate('with')}>
          Échanger les deux gardes
        </Button>
        {[swap, withdraw].map(({ isError, error }, index) =>
          isError ? <ErrorBanner key={index === 0 ? 'swap' : 'withdraw'} error={error} /> : null,
        )}
        <Button color="red" variant="outline" loading={withdraw.isPending} onClick={() => withdraw.mutate()}>
          Retirer la garde
        </Button>
      </div>
    </Dialog>
  );
}
