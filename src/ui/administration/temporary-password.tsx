/** A password made for somebody, shown once. */
import { Alert } from '@mantine/core';
import type { JSX } from 'react';

export function TemporaryPassword({ login, password }: { login: string; password: string }): JSX.Element {
  return (
    <Alert color="yellow" role="status" title={`Mot de passe temporaire de ${login}`}>
      <p>
        <output>{password}</output>
      </p>
      <p>
        Il ne sera plus affiché. Remettez-le à la personne elle-même ; elle en choisira un autre à sa première
        connexion, dans les sept jours.
      </p>
    </Alert>
  );
}
