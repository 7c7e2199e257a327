/** The password of the account: how old, until when, and another one. */
import { Alert, Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { NewPasswordForm } from '../session/new-password-form.tsx';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import { frenchDateTime } from '../time/format.ts';
import type { AccountState } from './account.ts';

export function PasswordSection({ account, onChanged }: { account: AccountState; onChanged: () => void }): JSX.Element {
  const { password } = account;
  const [isOpen, setOpen] = useState(false);
  const change = useMutation({
    mutationFn: (chosen: { password: string; current: string }) => ask('POST', 'account/password', chosen),
    onSuccess: () => {
      setOpen(false);
      onChanged();
    },
  });
  return (
    <section className="stack" aria-labelledby="titre-mot-de-passe">
      <h2 id="titre-mot-de-passe">Mot de passe</h2>
      {password === null ? (
        <p>Votre mot de passe est celui de votre annuaire : il se change là-bas.</p>
      ) : (
        <>
          <p>
            {password.changedAt ? `Choisi le ${frenchDateTime(password.changedAt)}.` : null}{' '}
            {password.expiresAt
              ? `À changer avant le ${frenchDateTime(password.expiresAt)}.`
              : 'Compte de démonstration : sans expiration.'}
          </p>
          {change.isSuccess && !isOpen ? (
            <Alert color="green" role="status">
              Mot de passe changé. Vos autres sessions sont terminées.
            </Alert>
          ) : null}
          {isOpen ? (
            <NewPasswordForm
              minimumLength={password.minimumLength}
              current
              pending={change.isPending}
              onChosen={(chosen, current) => change.mutate({ password: chosen, current })}
            />
          ) : null}
          {isOpen ? <StepError error={change.error} /> : null}
          <Button variant="default" className="narrow" onClick={() => setOpen(!isOpen)} aria-expanded={isOpen}>
            {isOpen ? 'Garder le mot de passe actuel' : 'Changer de mot de passe…'}
          </Button>
        </>
      )}
    </section>
  );
}
