/** Setting an authenticator application up: its secret as a QR code and as text, then a first code. */
import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { JSX } from 'react';
import { CodeForm } from '../session/code-form.tsx';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';

interface Enrolment {
  secret: string;
  qrCode: string;
}

interface TotpSetupProps<T> {
  /** Where it begins, under `/oauth2`; `/confirm` after it is where it ends. */
  path: string;
  onDone(answer: T): void;
}

export function TotpSetup<T>({ path, onDone }: TotpSetupProps<T>): JSX.Element {
  const begin = useMutation({ mutationFn: () => ask<Enrolment>('POST', path, {}) });
  const confirm = useMutation({
    mutationFn: (code: string) => ask<T>('POST', `${path}/confirm`, { code }),
    onSuccess: onDone,
  });
  if (!begin.data) {
    return (
      <>
        <Button variant="default" className="narrow" onClick={() => begin.mutate()} loading={begin.isPending}>
          Configurer une application d’authentification
        </Button>
        <StepError error={begin.error} />
      </>
    );
  }
  return (
    <div className="stack">
      <p>
        Lisez ce code avec l’application d’authentification de votre téléphone, puis saisissez le code qu’elle affiche.
      </p>
      <img
        className="qr-code"
        src={begin.data.qrCode}
        alt="QR code à lire avec l’application"
        width={180}
        height={180}
      />
      <p className="muted">
        Sans appareil photo, saisissez cette clé : <code>{(begin.data.secret.match(/.{1,4}/g) ?? []).join(' ')}</code>
      </p>
      <CodeForm
        label="Code à six chiffres"
        button="Vérifier le code"
        digits
        pending={confirm.isPending}
        onCode={confirm.mutate}
      />
      <StepError error={confirm.error} />
    </div>
  );
}
