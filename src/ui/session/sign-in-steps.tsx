/** What is missing after the first proof: a second factor, setting one up, another password. */
import { Alert, Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { RecoveryCodes } from '../account/recovery-codes.tsx';
import { TotpSetup } from '../account/totp-setup.tsx';
import { CodeForm } from './code-form.tsx';
import { NewPasswordForm } from './new-password-form.tsx';
import { createPasskey, passkeyLabel, provePasskey } from './passkey.ts';
import { ask, PeopleProblem } from './people-client.ts';
import type { PendingSignIn, StepAnswer } from './session.ts';
import { StepError } from './step-error.tsx';

interface SignInStepsProps {
  pending: PendingSignIn;
  /** Another step follows. */
  onNext(): void;
  /** The session is open. */
  onDone(): void;
  /** Given up, or over: begin again. */
  onOver(message?: string): void;
}

export function SignInSteps({ pending, onNext, onDone, onOver }: SignInStepsProps): JSX.Element {
  const [codes, setCodes] = useState<{ list: string[]; then: () => void }>();
  const goOn = (answer: StepAnswer): void => {
    const then = answer.step === undefined ? onDone : onNext;
    if (answer.recoveryCodes) setCodes({ list: answer.recoveryCodes, then });
    else then();
  };
  const failed = (error: unknown): void => {
    if (error instanceof PeopleProblem && error.code === 'sign_in_over') onOver(error.message);
  };
  const giveUp = useMutation({ mutationFn: () => ask('DELETE', 'sign-in'), onSettled: () => onOver() });

  if (codes) {
    return (
      <RecoveryCodes
        codes={codes.list}
        onKept={() => {
          setCodes(undefined);
          codes.then();
        }}
      />
    );
  }
  return (
    <div className="stack">
      <p className="muted">{pending.display}</p>
      <Step key={pending.step} pending={pending} onAnswer={goOn} onError={failed} />
      <Button variant="subtle" onClick={() => giveUp.mutate()}>
        Annuler et changer de compte
      </Button>
    </div>
  );
}

interface StepProps {
  pending: PendingSignIn;
  onAnswer(answer: StepAnswer): void;
  onError(error: unknown): void;
}

function Step(props: StepProps): JSX.Element {
  switch (props.pending.step) {
    case 'second-factor':
      return <SecondFactor {...props} />;
    case 'enrol':
      return <Enrol {...props} />;
    case 'change-password':
      return <ChangePassword {...props} />;
  }
}

function SecondFactor({ pending: { means = [] }, onAnswer, onError }: StepProps): JSX.Element {
  const [paper, setPaper] = useState(!means.includes('totp') && !means.includes('passkey'));
  const proof = paper ? 'recovery-code' : 'totp';
  const code = useMutation({
    mutationFn: (typed: string) => ask<StepAnswer>('POST', `sign-in/${proof}`, { code: typed }),
    onSuccess: onAnswer,
    onError,
  });
  const passkey = useMutation({
    mutationFn: () => provePasskey<StepAnswer>('sign-in/passkey/options', 'sign-in/passkey'),
    onSuccess: onAnswer,
    onError,
  });
  return (
    <section className="stack" aria-labelledby="titre-etape">
      <h2 id="titre-etape">Second facteur</h2>
      {means.includes('passkey') && !paper ? (
        <Button
          onClick={() => passkey.mutate()}
          loading={passkey.isPending}
          variant={means.includes('totp') ? 'default' : 'filled'}
        >
          Utiliser ma clé d’accès
        </Button>
      ) : null}
      {paper || means.includes('totp') ? (
        <CodeForm
          key={proof}
          label={paper ? 'Code de secours' : 'Code de l’application'}
          description={
            paper ? 'Chaque code ne sert qu’une fois.' : 'Six chiffres, renouvelés toutes les trente secondes.'
          }
          button="Continuer"
          digits={!paper}
          pending={code.isPending}
          onCode={code.mutate}
        />
      ) : null}
      <StepError error={code.error ?? passkey.error} />
      {means.includes('recovery-code') && means.length > 1 ? (
        <Button variant="subtle" onClick={() => setPaper(!paper)}>
          {paper ? 'Revenir au second facteur' : 'Je n’ai plus mon second facteur'}
        </Button>
      ) : null}
    </section>
  );
}

function Enrol({ pending: { means = [] }, onAnswer, onError }: StepProps): JSX.Element {
  const passkey = useMutation({
    mutationFn: () =>
      createPasskey<StepAnswer>('sign-in/enrol/passkey/options', 'sign-in/enrol/passkey', passkeyLabel()),
    onSuccess: onAnswer,
    onError,
  });
  return (
    <section className="stack" aria-labelledby="titre-etape">
      <h2 id="titre-etape">Ajouter un second facteur</h2>
      <p>Votre rôle demande, en plus du mot de passe, une preuve que vous seul détenez.</p>
      {means.length === 0 ? (
        <Alert color="red">Ce serveur ne peut en enregistrer aucune : prévenez l’exploitant.</Alert>
      ) : null}
      {means.includes('passkey') ? (
        <Button onClick={() => passkey.mutate()} loading={passkey.isPending}>
          Enregistrer une clé d’accès
        </Button>
      ) : null}
      <StepError error={passkey.error} />
      {means.includes('totp') ? <TotpSetup<StepAnswer> path="sign-in/enrol/totp" onDone={onAnswer} /> : null}
    </section>
  );
}

function ChangePassword({ pending, onAnswer, onError }: StepProps): JSX.Element {
  const change = useMutation({
    mutationFn: (password: string) => ask<StepAnswer>('POST', 'sign-in/password', { password }),
    onSuccess: onAnswer,
    onError,
  });
  return (
    <section className="stack" aria-labelledby="titre-etape">
      <h2 id="titre-etape">Changer de mot de passe</h2>
      <p>
        {pending.temporary
          ? 'Votre mot de passe est provisoire : choisissez le vôtre.'
          : 'Votre mot de passe a plus de 90 jours : choisissez-en un autre.'}
      </p>
      <NewPasswordForm
        minimumLength={pending.minimumLength ?? 9}
        current={false}
        pending={change.isPending}
        onChosen={(password) => change.mutate(password)}
      />
      <StepError error={change.error} />
    </section>
  );
}
