/** Identities elsewhere an account is tied to: the person signs in with them instead of a password. */
import { Button, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, JSX } from 'react';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import type { Accounts, ManagedAccount } from './accounts.ts';

interface ProviderLinksProps {
  account: ManagedAccount;
  providers: Accounts['providers'];
  onChanged(): void;
}

export function ProviderLinks({ account, providers, onChanged }: ProviderLinksProps): JSX.Element {
  const path = (name: string): string => `accounts/${encodeURIComponent(account.login)}/links/${name}`;
  const tie = useMutation({
    mutationFn: ({ name, subject }: { name: string; subject: string }) => ask('PUT', path(name), { subject }),
    onSuccess: onChanged,
  });
  const untie = useMutation({ mutationFn: (name: string) => ask('DELETE', path(name)), onSuccess: onChanged });
  const submit =
    (name: string) =>
    (event: FormEvent<HTMLFormElement>): void => {
      event.preventDefault();
      tie.mutate({ name, subject: String(new FormData(event.currentTarget).get('subject') ?? '').trim() });
    };
  return (
    <>
      {providers.map(({ name, label, profile }) => {
        const link = account.links.find(({ source }) => source === `openid/${name}`);
        return link ? (
          <p key={name}>
            {label} : {link.subject}{' '}
            <Button size="compact-xs" variant="default" loading={untie.isPending} onClick={() => untie.mutate(name)}>
              Détacher
            </Button>
          </p>
        ) : (
          <form key={name} onSubmit={submit(name)} className="journal-form">
            <TextInput
              name="subject"
              size="xs"
              label={profile === 'pro-sante-connect' ? `RPPS pour ${label}` : `Identifiant chez ${label}`}
              required
              maxLength={255}
            />
            <Button type="submit" size="xs" variant="default" loading={tie.isPending}>
              Rattacher
            </Button>
          </form>
        );
      })}
      <StepError error={tie.error ?? untie.error} />
    </>
  );
}
