/** Planifier: the same hours for one day or several, one request to the server each, in the establishment's own time. */
import { Button, Checkbox, Group, Select, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { type DutyKind, daysOf, dutyKinds, dutyNames, frenchDay, weekdayOf } from './month.ts';
import type { Reader } from './readers.ts';
import { usePeople } from './use-people.ts';

interface PlanDialogProps {
  establishment: string;
  month: string;
  day: string;
  kind: DutyKind;
  readers: readonly Reader[];
  onDone(): void;
  onClose(): void;
}

const weekdays = ['lun.', 'mar.', 'mer.', 'jeu.', 'ven.', 'sam.', 'dim.'];

export function PlanDialog(props: PlanDialogProps): JSX.Element {
  const { establishment, month, readers, onDone, onClose } = props;
  const { client } = useServices();
  const [kind, setKind] = useState<DutyKind>(props.kind);
  const [person, setPerson] = useState<string | null>(null);
  const [hours, setHours] = useState({ from: '20:00', to: '08:00' });
  const [until, setUntil] = useState<string>(props.day);
  const [on, setOn] = useState<readonly number[]>([1, 2, 3, 4, 5, 6, 7]);
  const people = usePeople(kind, readers);
  const days = daysOf(month).filter((day) => day >= props.day && day <= until && on.includes(weekdayOf(day)));
  const plan = useMutation({
    mutationFn: async () => {
      for (const day of days)
        await client.operate(`Organization/${establishment}/$plan-duty`, {
          resourceType: 'Parameters',
          parameter: [
            { name: 'practitioner', valueReference: { reference: person ?? '' } },
            { name: 'kind', valueCode: kind },
            { name: 'day', valueString: day },
            { name: 'from', valueString: hours.from },
            { name: 'to', valueString: hours.to },
          ],
        });
    },
    // Days before the one that was refused are planned: the grid must show them.
    onSettled: onDone,
    onSuccess: onClose,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    plan.mutate();
  };
  return (
    <Dialog onClose={onClose} title={`Planifier à partir du ${frenchDay(props.day)}`}>
      <form onSubmit={submit} className="stack">
        <Select
          label="Garde de"
          data={dutyKinds.map((each) => ({ value: each, label: dutyNames[each] }))}
          value={kind}
          allowDeselect={false}
          onChange={(value) => setKind(value as DutyKind)}
        />
        <Select label="Qui" data={people} value={person} onChange={setPerson} searchable required data-autofocus />
        <Group grow>
          <TextInput
            type="time"
            label="De"
            required
            value={hours.from}
            onChange={(event) => setHours({ ...hours, from: event.currentTarget.value })}
          />
          <TextInput
            type="time"
            label="À"
            description="le lendemain si l’heure est passée"
            required
            value={hours.to}
            onChange={(event) => setHours({ ...hours, to: event.currentTarget.value })}
          />
        </Group>
        <Select
          label="Jusqu’au"
          data={daysOf(month)
            .filter((day) => day >= props.day)
            .map((day) => ({ value: day, label: frenchDay(day) }))}
          value={until}
          allowDeselect={false}
          onChange={(value) => setUntil(value ?? props.day)}
        />
        {until === props.day ? null : (
          <Checkbox.Group label="Les" value={on.map(String)} onChange={(values) => setOn(values.map(Number))}>
            <Group gap="xs">
              {weekdays.map((name, index) => (
                <Checkbox key={name} size="xs" value={String(index + 1)} label={name} />
              ))}
            </Group>
          </Checkbox.Group>
        )}
        {plan.isError ? <ErrorBanner error={plan.error} /> : null}
        <Button type="submit" loading={plan.isPending} disabled={person === null || days.length === 0}>
          {days.length > 1 ? `Planifier ${days.length} gardes` : 'Planifier la garde'}
        </Button>
      </form>
    </Dialog>
  );
}
