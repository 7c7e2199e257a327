/** One account: its rights, its means of signing in, its closing. */
import { Alert, Button, MultiSelect } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { type Accounts, followsDirectory, type ManagedAccount, meansOf } from './accounts.ts';
import { ProviderLinks } from './provider-links.tsx';
import { TemporaryPassword } from './temporary-password.tsx';

interface AccountDialogProps {
  account: ManagedAccount;
  roles: Accounts['roles'];
  providers: Accounts['providers'];
  places: { value: string; label: string }[];
  onChanged(): void;
  onClose(): void;
}

export function AccountDialog({
  account,
  roles,
  providers,
  places,
  onChanged,
  onClose,
}: AccountDialogProps): JSX.Element {
  const path = `accounts/${encodeURIComponent(account.login)}`;
  const isPerson = account.kind === 'person';
  const isDecidedHere = isPerson && !followsDirectory(account);
  const [wantedRoles, setRoles] = useState(account.roles);
  const [establishments, setEstablishments] = useState(account.establishments);
  const change = useMutation({ mutationFn: (body: object) => ask('PATCH', path, body), onSuccess: onChanged });
  const password = useMutation({
    mutationFn: () => ask<{ temporaryPassword: string }>('POST', `${path}/reset-password`),
    onSuccess: onChanged,
  });
  const action = useMutation({
    mutationFn: (name: 'reset-factors' | 'end-sessions') => ask('POST', `${path}/${name}`),
    onSuccess: onChanged,
  });
  return (
    <Dialog onClose={onClose} title={`${account.display} (${account.login})`}>
      <div className="stack">
        <p className="muted">Connexion : {meansOf(account)}</p>
        {isDecidedHere ? (
          <>
            <MultiSelect
              label="Rôles"
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
            <Button
              loading={change.isPending}
              disabled={wantedRoles.length === 0}
              onClick={() => change.mutate({ roles: wantedRoles, establishments })}
            >
              Enregistrer les droits
            </Button>
          </>
        ) : (
          <Alert color="gray">
            {isPerson
              ? 'Le nom, les rôles et les établissements suivent l’annuaire.'
              : 'Les droits d’une machine se règlent avec sa clé.'}
          </Alert>
        )}
        {isDecidedHere ? (
          <Button variant="default" loading={password.isPending} onClick={() => password.mutate()}>
            Donner un mot de passe temporaire
          </Button>
        ) : null}
        {password.data ? <TemporaryPassword login={account.login} password={password.data.temporaryPassword} /> : null}
        {account.secondFactor ? (
          <Button variant="default" loading={action.isPending} onClick={() => action.mutate('reset-factors')}>
            Retirer les seconds facteurs
          </Button>
        ) : null}
        <Button variant="default" loading={action.isPending} onClick={() => action.mutate('end-sessions')}>
          Terminer les sessions
        </Button>
        {isPerson ? <ProviderLinks account={account} providers={providers} onChanged={onChanged} /> : null}
        <StepError error={change.error ?? password.error ?? action.error} />
        <Button
          color={account.disabled ? 'cyan' : 'red'}
          loading={change.isPending}
          onClick={() => change.mutate({ disabled: !account.disabled })}
        >
          {account.disabled ? 'Rouvrir le compte' : 'Fermer le compte'}
        </Button>
      </div>
    </Dialog>
  );
}
