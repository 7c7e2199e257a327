/** Coordonnées: where somebody on duty is called and written to. */
import { Button, Group, TextInput } from '@mantine/core';
import type { Practitioner } from '@medplum/fhirtypes';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { contactOf, withContact } from './contact.ts';

export function ContactForm({ person, onDone }: { person: Practitioner; onDone(): void }): JSX.Element {
  const { client } = useServices();
  const [phone, setPhone] = useState(contactOf(person, 'phone'));
  const [email, setEmail] = useState(contactOf(person, 'email'));
  const keep = useMutation({
    mutationFn: () => client.update(withContact(withContact(person, 'phone', phone.trim()), 'email', email.trim())),
    onSuccess: onDone,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    keep.mutate();
  };
  return (
    <form onSubmit={submit} className="stack">
      <Group grow>
        <TextInput
          type="tel"
          label="Téléphone de garde"
          maxLength={30}
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
        />
        <TextInput
          type="email"
          label="E-mail"
          maxLength={200}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
      </Group>
      {keep.isError ? <ErrorBanner error={keep.error} /> : null}
      <Button type="submit" variant="default" loading={keep.isPending}>
        Enregistrer les coordonnées
      </Button>
    </form>
  );
}
