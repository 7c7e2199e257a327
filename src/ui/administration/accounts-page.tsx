/** Comptes: who may sign in, as what and where; for administrators, who see no patient. */
import { Button, Checkbox, Loader, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import { found } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { usePageTitle } from '../shell/use-page-title.ts';
import { AccountDialog } from './account-dialog.tsx';
import { AccountTable } from './account-table.tsx';
import { accountsKey, establishmentChoices, readAccounts } from './accounts.ts';
import { NewAccountDialog } from './new-account-dialog.tsx';

export function AccountsPage(): JSX.Element {
  const queries = useQueryClient();
  const { client } = useServices();
  const accounts = useQuery({ queryKey: accountsKey, queryFn: readAccounts });
  const organizations = useQuery({
    queryKey: ['establishments'],
    queryFn: async ({ signal }) => found(await client.search('Organization', '_count=500', signal)).all('Organization'),
  });
  const [filter, setFilter] = useState('');
  const [withClosed, setWithClosed] = useState(false);
  const [open, setOpen] = useState<string>();
  const [creating, setCreating] = useState(false);
  usePageTitle('Comptes');

  const places = establishmentChoices(organizations.data ?? []);
  const refresh = (): void => void queries.invalidateQueries({ queryKey: accountsKey });
  const wanted = filter.trim().toLocaleLowerCase('fr');
  const lines = (accounts.data?.accounts ?? []).filter(
    ({ login, display, disabled }) =>
      (withClosed || !disabled) && `${login} ${display}`.toLocaleLowerCase('fr').includes(wanted),
  );
  const chosen = accounts.data?.accounts.find(({ login }) => login === open);
  return (
    <section className="page" aria-labelledby="titre-comptes">
      <h1 id="titre-comptes">Comptes</h1>
      <search aria-label="Rechercher un compte">
        <div className="journal-form">
          <TextInput
            size="xs"
            label="Nom ou identifiant"
            value={filter}
            maxLength={100}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <Checkbox
            size="xs"
            label="Montrer les comptes fermés"
            checked={withClosed}
            onChange={(event) => setWithClosed(event.currentTarget.checked)}
          />
          <Button size="xs" onClick={() => setCreating(true)} disabled={!accounts.data}>
            Nouveau compte
          </Button>
        </div>
      </search>
      {accounts.isError ? <ErrorBanner error={accounts.error} onRetry={() => void accounts.refetch()} /> : null}
      {accounts.isPending ? <Loader className="centre" aria-label="Chargement des comptes" /> : null}
      {accounts.data ? (
        <AccountTable accounts={lines} roles={accounts.data.roles} places={places} onOpen={setOpen} />
      ) : null}
      {accounts.data && chosen ? (
        <AccountDialog
          key={chosen.login}
          account={chosen}
          roles={accounts.data.roles}
          providers={accounts.data.providers}
          places={places}
          onChanged={refresh}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {accounts.data && creating ? (
        <NewAccountDialog
          roles={accounts.data.roles}
          places={places}
          onMade={refresh}
          onClose={() => setCreating(false)}
        />
      ) : null}
    </section>
  );
}
