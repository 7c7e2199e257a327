/** Choosing a password, with the rules beside it (SE-2). */
import { Alert, Button, PasswordInput } from '@mantine/core';
import { type FormEvent, type JSX, useState } from 'react';

interface NewPasswordFormProps {
  minimumLength: number;
  /** Whether the present one is asked for. */
  current: boolean;
  pending: boolean;
  onChosen(password: string, current: string): void;
}

const eye = { 'aria-label': 'Afficher ou masquer le mot de passe' };

export function NewPasswordForm({ minimumLength, current, pending, onChosen }: NewPasswordFormProps): JSX.Element {
  const [differs, setDiffers] = useState(false);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const password = String(form.get('password') ?? '');
    const isSame = password === String(form.get('again') ?? '');
    setDiffers(!isSame);
    if (isSame) onChosen(password, String(form.get('current') ?? ''));
  };
  return (
    <form onSubmit={submit} className="stack">
      {current ? (
        <PasswordInput
          name="current"
          label="Mot de passe actuel"
          autoComplete="current-password"
          required
          autoFocus
          maxLength={256}
          visibilityToggleButtonProps={eye}
        />
      ) : null}
      <PasswordInput
        name="password"
        label="Nouveau mot de passe"
        description={`Au moins ${minimumLength} caractères ; trois sortes parmi minuscules, majuscules, chiffres et autres ; rien de l’identifiant, du nom, du grade ni du rôle ; nettement différent des six derniers.`}
        autoComplete="new-password"
        required
        autoFocus={!current}
        minLength={minimumLength}
        maxLength={256}
        visibilityToggleButtonProps={eye}
      />
      <PasswordInput
        name="again"
        label="Le même, une seconde fois"
        autoComplete="new-password"
        required
        maxLength={256}
        visibilityToggleButtonProps={eye}
      />
      {differs ? (
        <Alert color="red" role="alert">
          Les deux saisies diffèrent.
        </Alert>
      ) : null}
      <Button type="submit" loading={pending}>
        Changer le mot de passe
      </Button>
    </form>
  );
}
