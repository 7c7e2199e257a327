/** « C’est bien vous ? »: the password or a passkey once more, before the means of signing in change or sessions end. */
import { Button, PasswordInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, JSX } from 'react';
import { provePasskey } from '../session/passkey.ts';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';

interface FreshProofProps {
  hasPassword: boolean;
  hasPasskey: boolean;
  onProved(): void;
}

export function FreshProof({ hasPassword, hasPasskey, onProved }: FreshProofProps): JSX.Element {
  const prove = useMutation({ mutationFn: (work: () => Promise<unknown>) => work(), onSuccess: onProved });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget).get('password') ?? '');
    prove.mutate(() => ask('POST', 'account/proof', { password }));
  };
  if (!hasPassword && !hasPasskey) {
    return <p>Pour modifier le second facteur ou terminer une session, déconnectez-vous puis reconnectez-vous.</p>;
  }
  return (
    <form onSubmit={submit} className="stack narrow" aria-label="Confirmer que c’est bien vous">
      <p>Pour modifier le second facteur ou terminer une session, confirmez que c’est bien vous.</p>
      {hasPassword ? (
        <>
          <PasswordInput
            name="password"
            label="Mot de passe"
            autoComplete="current-password"
            required
            maxLength={256}
            visibilityToggleButtonProps={{ 'aria-label': 'Afficher ou masquer le mot de passe' }}
          />
          <Button type="submit" variant="default" loading={prove.isPending}>
            Confirmer
          </Button>
        </>
      ) : null}
      {hasPasskey ? (
        <Button
          variant="default"
          onClick={() => prove.mutate(() => provePasskey('account/proof/passkey/options', 'account/proof/passkey'))}
        >
          Confirmer avec une clé d’accès
        </Button>
      ) : null}
      <StepError error={prove.error} />
    </form>
  );
}
