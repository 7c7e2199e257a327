/** Mon compte: the password, the second factors, the sessions, the apps. */
import { Loader } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { JSX } from 'react';
import { useSession } from '../session/session-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { usePageTitle } from '../shell/use-page-title.ts';
import { roleName } from '../words/labels.ts';
import { readAccount } from './account.ts';
import { ApplicationsSection } from './applications-section.tsx';
import { FactorsSection } from './factors-section.tsx';
import { PasswordSection } from './password-section.tsx';
import { SessionsSection } from './sessions-section.tsx';

export default function AccountPage(): JSX.Element {
  const session = useSession();
  const queries = useQueryClient();
  const account = useQuery({ queryKey: ['account'], queryFn: readAccount });
  usePageTitle('Mon compte');
  const changed = (): void => void queries.invalidateQueries({ queryKey: ['account'] });
  return (
    <section className="page account" aria-labelledby="titre-compte">
      <h1 id="titre-compte">Mon compte</h1>
      <p>
        {session.display}, identifiant <code>{session.account}</code>, {session.roles.map(roleName).join(', ')}
      </p>
      {account.isError ? <ErrorBanner error={account.error} onRetry={() => void account.refetch()} /> : null}
      {account.isPending ? <Loader className="centre" aria-label="Chargement du compte" /> : null}
      {account.data ? (
        <>
          <PasswordSection account={account.data} onChanged={changed} />
          <FactorsSection account={account.data} onChanged={changed} />
        </>
      ) : null}
      <SessionsSection fresh={account.data?.fresh ?? false} onChanged={changed} />
      <ApplicationsSection />
    </section>
  );
}
