/** Connexion. */
import { Alert, Button, Paper, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Mark } from '../shell/mark.tsx';
import { IdentityProviders } from './identity-providers.tsx';
import { canUsePasskeys, provePasskey } from './passkey.ts';
import { ask } from './people-client.ts';
import { login, openedSession, pendingSignIn, type Session, type StepAnswer } from './session.ts';
import { SignInSteps } from './sign-in-steps.tsx';
import { StepError } from './step-error.tsx';

/** @param expired whether a session just ended: said above the form, the route is kept for after. */
export function LoginPage({
  expired,
  onLogin,
}: {
  expired: boolean;
  onLogin: (session: Session) => void;
}): JSX.Element {
  const { client } = useServices();
  const [over, setOver] = useState<string>();
  // Asked at once: another way of signing in may have brought the browser here in the middle of the steps.
  const begun = useQuery({
    queryKey: ['sign-in'],
    queryFn: async () => (await pendingSignIn()) ?? null,
    gcTime: 0,
    // Who comes back from another window finds the recovery codes still there: the last step may be done already.
    refetchOnWindowFocus: false,
  });
  const opened = useMutation({ mutationFn: () => openedSession(client), onSuccess: onLogin });
  const goOn = (answer: StepAnswer): void => {
    setOver(undefined);
    if (answer.step === undefined) opened.mutate();
    else void begun.refetch();
  };

  return (
    <main className="login">
      <Paper className="login-card" component="section" aria-labelledby="titre-connexion">
        <Mark />
        <h1 id="titre-connexion">Connexion</h1>
        <p className="muted">Téléradiologie : demandes, images et comptes rendus</p>
        {expired && !begun.data && over === undefined ? (
          <Alert color="yellow" role="status">
            La session a expiré. Reconnectez-vous pour reprendre où vous en étiez.
          </Alert>
        ) : null}
        {over === undefined ? null : (
          <Alert color="yellow" role="alert">
            {over}
          </Alert>
        )}
        {begun.data ? (
          <SignInSteps
            pending={begun.data}
            onNext={() => void begun.refetch()}
            onDone={() => opened.mutate()}
            onOver={(message) => {
              setOver(message);
              void begun.refetch();
            }}
          />
        ) : (
          <FirstProof onAnswer={goOn} />
        )}
        <StepError error={opened.error} />
        <a className="muted" href="/mentions-legales">
          Mentions légales
        </a>
      </Paper>
    </main>
  );
}

/** A name and a password, or a passkey alone. */
function FirstProof({ onAnswer }: { onAnswer: (answer: StepAnswer) => void }): JSX.Element {
  const attempt = useMutation({
    mutationFn: ({ username, password }: { username: string; password: string }) => login(username, password),
    onSuccess: onAnswer,
  });
  const offered = useQuery({
    queryKey: ['sign-in', 'passkey'],
    queryFn: () => ask<{ host: string | null }>('GET', 'passkey'),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const passkey = useMutation({
    mutationFn: () => provePasskey<StepAnswer>('passkey/options', 'passkey'),
    onSuccess: onAnswer,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    passkey.reset();
    attempt.mutate({
      username: String(form.get('username') ?? '').trim(),
      password: String(form.get('password') ?? ''),
    });
  };
  return (
    <>
      <form onSubmit={submit} className="stack">
        <TextInput name="username" label="Identifiant" autoComplete="username" required autoFocus maxLength={100} />
        <PasswordInput
          name="password"
          label="Mot de passe"
          autoComplete="current-password"
          required
          maxLength={256}
          visibilityToggleButtonProps={{ 'aria-label': 'Afficher ou masquer le mot de passe' }}
        />
        <StepError error={attempt.error ?? passkey.error} />
        <Button type="submit" loading={attempt.isPending} fullWidth>
          Se connecter
        </Button>
      </form>
      {canUsePasskeys(offered.data?.host) ? (
        <Button variant="default" onClick={() => passkey.mutate()} loading={passkey.isPending} fullWidth>
          Se connecter avec une clé d’accès
        </Button>
      ) : null}
      <IdentityProviders />
    </>
  );
}
