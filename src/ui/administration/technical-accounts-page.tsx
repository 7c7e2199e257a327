/** Comptes techniques: who holds and who held each account of a machine or of maintenance (SE-14). Auditors read, administrators keep it. */
import { Button, Loader, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { FormEvent, JSX } from 'react';
import { ask } from '../session/people-client.ts';
import { hasRole } from '../session/session.ts';
import { useSession } from '../session/session-context.tsx';
import { StepError } from '../session/step-error.tsx';
import { ColumnHeads } from '../shell/column-heads.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { usePageTitle } from '../shell/use-page-title.ts';
import { frenchInstant } from '../time/format.ts';

interface Holding {
  id: string;
  holder: string;
  company: string;
  reason: string;
  since: string;
  until: string | null;
}
interface TechnicalAccount {
  login: string;
  display: string;
  disabled: boolean;
  holders: Holding[];
}

const key = ['technical-accounts'];

export function TechnicalAccountsPage(): JSX.Element {
  const session = useSession();
  const accounts = useQuery({
    queryKey: key,
    queryFn: () => ask<{ accounts: TechnicalAccount[] }>('GET', 'technical-accounts'),
  });
  usePageTitle('Comptes techniques');
  const keeps = hasRole(session, 'administrator');
  return (
    <section className="page" aria-labelledby="titre-techniques">
      <h1 id="titre-techniques">Comptes techniques</h1>
      {accounts.isError ? <ErrorBanner error={accounts.error} onRetry={() => void accounts.refetch()} /> : null}
      {accounts.isPending ? <Loader className="centre" aria-label="Chargement" /> : null}
      {(accounts.data?.accounts ?? []).map((account) => (
        <AccountSection key={account.login} account={account} keeps={keeps} />
      ))}
      {accounts.data?.accounts.length === 0 ? <p>Aucun compte technique.</p> : null}
    </section>
  );
}

function AccountSection({ account, keeps }: { account: TechnicalAccount; keeps: boolean }): JSX.Element {
  const queries = useQueryClient();
  const { login, display, disabled, holders } = account;
  const path = `technical-accounts/${encodeURIComponent(login)}/holders`;
  const onSuccess = (): void => void queries.invalidateQueries({ queryKey: key });
  const give = useMutation({ mutationFn: (body: object) => ask('POST', path, body), onSuccess });
  const end = useMutation({ mutationFn: (id: string) => ask('POST', `${path}/${id}/end`), onSuccess });
  const isHeld = holders.some(({ until }) => until === null);
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    give.mutate(Object.fromEntries(new FormData(event.currentTarget)));
  };
  return (
    <section aria-labelledby={`compte-${login}`} className="stack">
      <h2 id={`compte-${login}`}>
        {display} ({login}){disabled ? ' – fermé' : ''}
      </h2>
      {holders.length === 0 ? <p>Aucun détenteur enregistré.</p> : <Holders holders={holders} />}
      {keeps && isHeld ? (
        <Button
          size="xs"
          variant="default"
          loading={end.isPending}
          onClick={() => end.mutate(holders.find(({ until }) => until === null)?.id ?? '')}
        >
          Terminer la détention en cours
        </Button>
      ) : null}
      {keeps && !isHeld ? (
        <form onSubmit={submit} className="journal-form">
          <TextInput name="holder" size="xs" label="Détenteur" required maxLength={200} />
          <TextInput name="company" size="xs" label="Société" required maxLength={200} />
          <TextInput name="reason" size="xs" label="Motif" required maxLength={500} />
          <Button type="submit" size="xs" loading={give.isPending}>
            Enregistrer
          </Button>
        </form>
      ) : null}
      <StepError error={give.error ?? end.error} />
    </section>
  );
}

function Holders({ holders }: { holders: readonly Holding[] }): JSX.Element {
  return (
    <table className="plain-table">
      <caption className="hidden">Détenteurs</caption>
      <ColumnHeads names={['Détenteur', 'Société', 'Du', 'Au', 'Motif']} />
      <tbody>
        {holders.map(({ id, holder, company, since, until, reason }) => (
          <tr key={id}>
            <td>{holder}</td>
            <td>{company}</td>
            <td className="cell-number">{frenchInstant(since)}</td>
            <td className="cell-number">{until === null ? 'en cours' : frenchInstant(until)}</td>
            <td>{reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
