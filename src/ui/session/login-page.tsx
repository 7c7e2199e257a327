/** Connexion. */
import { Alert, Button, Paper, PasswordInput, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, JSX } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { Mark } from '../shell/mark.tsx';
import { login, loginError, type Session } from './session.ts';

/** @param expired whether a session just ended: said above the form, the route is kept for after. */
export function LoginPage({
  expired,
  onLogin,
}: {
  expired: boolean;
  onLogin: (session: Session) => void;
}): JSX.Element {
  const { client } = useServices();
  const attempt = useMutation({
    mutationFn: ({ username, password }: { username: string; password: string }) => login(client, username, password),
    onSuccess: onLogin,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    attempt.mutate({
      username: String(form.get('username') ?? '').trim(),
      password: String(form.get('password') ?? ''),
    });
  };

  return (
    <main className="login">
      <Paper component="form" className="login-card" onSubmit={submit} aria-labelledby="titre-connexion">
        <Mark />
        <h1 id="titre-connexion">Connexion</h1>
        <p className="muted">Téléradiologie : demandes, images et comptes rendus</p>
        {expired && !attempt.isError ? (
          <Alert color="yellow" role="status">
            La session a expiré. Reconnectez-vous pour reprendre où vous en étiez.
          </Alert>
        ) : null}
        <TextInput name="username" label="Identifiant" autoComplete="username" required autoFocus maxLength={100} />
        <PasswordInput
          name="password"
          label="Mot de passe"
          autoComplete="current-password"
          required
          maxLength={200}
          visibilityToggleButtonProps={{ 'aria-label': 'Afficher ou masquer le mot de passe' }}
        />
        {attempt.isError ? (
          <Alert color="red" role="alert">
            {loginError(attempt.error)}
          </Alert>
        ) : null}
        <Button type="submit" loading={attempt.isPending} fullWidth>
          Se connecter
        </Button>
      </Paper>
    </main>
  );
}
