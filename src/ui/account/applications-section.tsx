/** Apps the person let in, what they may do, and the way to put them out again (SMART App Launch). */
import { Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { ask } from '../session/people-client.ts';
import { StepError } from '../session/step-error.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { frenchDateTime } from '../time/format.ts';
import { readApplications } from './account.ts';

export function ApplicationsSection(): JSX.Element {
  const applications = useQuery({ queryKey: ['account', 'applications'], queryFn: readApplications });
  const withdraw = useMutation({
    mutationFn: (id: string) => ask('DELETE', `account/applications/${encodeURIComponent(id)}`),
    onSettled: () => void applications.refetch(),
  });
  const list = applications.data ?? [];
  return (
    <section className="stack" aria-labelledby="titre-applications">
      <h2 id="titre-applications">Applications autorisées</h2>
      {applications.isError ? (
        <ErrorBanner error={applications.error} onRetry={() => void applications.refetch()} />
      ) : null}
      {applications.data && list.length === 0 ? <p>Aucune application n’agit en votre nom.</p> : null}
      <ul className="factors">
        {list.map(({ id, application, scopes, since, until }) => (
          <li key={id}>
            <span>
              {application}, du {frenchDateTime(since)} au {frenchDateTime(until)} <code>{scopes.join(' ')}</code>
            </span>
            <Button
              size="compact-sm"
              variant="default"
              loading={withdraw.isPending}
              aria-label={`Retirer l’application ${application}`}
              onClick={() => withdraw.mutate(id)}
            >
              Retirer
            </Button>
          </li>
        ))}
      </ul>
      <StepError error={withdraw.error} />
    </section>
  );
}
