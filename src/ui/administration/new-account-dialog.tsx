/** Nouveau compte: one named person, one account (SE-2). */
import { Button, MultiSelect, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type JSX, useState } from 'react';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import { Dialog } from '../shell/dialog.tsx';
import type { Accounts } from './accounts.ts';
import { TemporaryPassword } from './temporary-password.tsx';

interface NewAccountDialogProps {
  roles: Accounts['roles'];
  places: { value: string; label: string }[];
  onMade(): void;
  onClose(): void;
}

export function NewAccountDialog({ roles, places, onMade, onClose }: NewAccountDialogProps): JSX.Element {
  const [wantedRoles, setRoles] = useState<string[]>([]);
  const [establishments, setEstablishments] = useState<string[]>([]);
  const make = useMutation({
    mutationFn: async (body: { login: string }) => {
      const { temporaryPassword } = await ask<{ temporaryPassword: string }>('POST', 'accounts', body);
      return { login: body.login, temporaryPassword };
    },
    onSuccess: onMade,
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string): string => String(form.get(name) ?? '').trim();
    const optional = ['given', 'rpps'].map((name) => [name, text(name)]).filter(([, value]) => value !== '');
    make.mutate({
      ...{ login: text('login'), family: text('family'), roles: wantedRoles, establishments },
      ...Object.fromEntries(optional),
    });
  };
  return (
    <Dialog onClose={onClose} title="Nouveau compte">
      {make.data ? (
        <div className="stack">
          <TemporaryPassword login={make.data.login} password={make.data.temporaryPassword} />
          <Button onClick={onClose}>J’ai remis ce mot de passe</Button>
        </div>
      ) : (
        <form onSubmit={submit} className="stack">
          <TextInput name="login" label="Identifiant" required maxLength={64} autoComplete="off" data-autofocus />
          <TextInput name="family" label="Nom" required maxLength={100} autoComplete="off" />
          <TextInput name="given" label="Prénom" maxLength={100} autoComplete="off" />
          <TextInput
            name="rpps"
            label="RPPS"
            description="Onze chiffres, pour un professionnel de santé"
            pattern="[0-9]{11}"
            maxLength={11}
            inputMode="numeric"
          />
          <MultiSelect
            label="Rôles"
            required
            data={roles.map(({ code, title }) => ({ value: code, label: title }))}
            value={wantedRoles}
            onChange={setRoles}
          />
          <MultiSelect
            label="Établissements"
            data={places}
            value={establishments}
            onChange={setEstablishments}
            searchable
          />
          <StepError error={make.error} />
          <Button type="submit" loading={make.isPending} disabled={wantedRoles.length === 0}>
            Créer le compte
          </Button>
        </form>
      )}
    </Dialog>
  );
}
