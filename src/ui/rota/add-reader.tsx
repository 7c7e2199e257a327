/** Ajouter un radiologue: the role under which somebody of the directory reads for an establishment. */
import { Button, Select } from '@mantine/core';
import type { PractitionerRole } from '@medplum/fhirtypes';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import type { Reader } from './readers.ts';
import { usePeople } from './use-people.ts';

interface AddReaderProps {
  establishment: string;
  readers: readonly Reader[];
  onDone(): void;
}

export function AddReader({ establishment, readers, onDone }: AddReaderProps): JSX.Element {
  const { client } = useServices();
  const [person, setPerson] = useState<string | null>(null);
  const others = usePeople('coordinator', []).filter(({ value }) => !readers.some((one) => one.reference === value));
  const add = useMutation({
    mutationFn: () =>
      client.create<PractitionerRole>({
        resourceType: 'PractitionerRole',
        active: true,
        practitioner: { reference: person ?? '', display: others.find(({ value }) => value === person)?.label },
        organization: { reference: `Organization/${establishment}` },
        code: [{ coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/role', code: 'radiologist' }] }],
      }),
    onSuccess: () => {
      setPerson(null);
      onDone();
    },
  });
  return (
    <div className="rota-bar">
      <Select
        size="xs"
        aria-label="Radiologue à ajouter"
        placeholder="Ajouter un radiologue de l’annuaire…"
        data={others}
        value={person}
        onChange={setPerson}
        searchable
        clearable
      />
      <Button size="xs" disabled={person === null} loading={add.isPending} onClick={() => add.mutate()}>
        Ajouter
      </Button>
      {add.isError ? <ErrorBanner error={add.error} /> : null}
    </div>
  );
}
