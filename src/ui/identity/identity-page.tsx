/** Images et identités à vérifier: what waits for a decision, with both sides, and what was decided. */
import { Loader } from '@mantine/core';
import type { DetectedIssue } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { Link } from 'wouter';
import { found, referencedId } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { useAllowedSearch } from '../session/use-allowed-search.ts';
import { ColumnHeads } from '../shell/column-heads.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { pollMs } from '../shell/query-client.ts';
import { useNow } from '../shell/use-now.ts';
import { usePageTitle } from '../shell/use-page-title.ts';
import { frenchDateTime } from '../time/format.ts';
import { decisionText } from './decisions.ts';
import { IssueCard } from './issue-card.tsx';
import { isOpen, issueTitle } from './issue-text.ts';
import { messageQuery, messagesOf, namedStudies } from './messages.ts';
import { MessagesTable } from './messages-table.tsx';

const query = '_sort=-identified&_count=100&_include=DetectedIssue:implicated';

export function IdentityPage(): JSX.Element {
  const { client } = useServices();
  const issues = useQuery({
    queryKey: ['identity'],
    queryFn: async ({ signal }) => found(await client.search('DetectedIssue', query, signal)),
    refetchInterval: 2 * pollMs,
  });
  const search = useAllowedSearch();
  const messages = useQuery({
    queryKey: ['coordination-messages'],
    queryFn: async ({ signal }) => {
      const sent = found(await search('Communication', messageQuery, signal)).all('Communication');
      const ids = namedStudies(sent);
      // R4 has no search parameter for what a Communication is about: its studies are asked for by id.
      const studies =
        ids.length === 0
          ? undefined
          : await search('ImagingStudy', `_id=${ids.join(',')}&_count=${ids.length}`, signal);
      return { sent, studies: found(studies) };
    },
    refetchInterval: 2 * pollMs,
  });
  const now = useNow(30_000);
  usePageTitle('Images et identités à vérifier');
  if (issues.isPending || messages.isPending) return <Loader className="centre" aria-label="Chargement" />;
  const all = issues.data?.all('DetectedIssue') ?? [];
  const open = all.filter(isOpen);
  const closed = all.filter((one) => !isOpen(one));
  const told = messages.data ? messagesOf(messages.data.sent, messages.data.studies, now) : [];
  const waiting = open.length + told.length;
  const failed = issues.isError || messages.isError;
  return (
    <section className="page" aria-labelledby="titre-identites">
      <h1 id="titre-identites">Images et identités à vérifier</h1>
      {issues.isError ? <ErrorBanner error={issues.error} onRetry={() => void issues.refetch()} /> : null}
      {messages.isError ? <ErrorBanner error={messages.error} onRetry={() => void messages.refetch()} /> : null}
      <p role="status">{waiting > 0 ? `${waiting} à vérifier.` : failed ? 'Liste incomplète.' : 'Rien à vérifier.'}</p>
      {told.length > 0 ? <h2>Images sans demande, images tardives, envois refusés</h2> : null}
      {told.length > 0 ? <MessagesTable messages={told} /> : null}
      {open.length > 0 ? <h2>Identités</h2> : null}
      {open.map((one) => (
        <IssueCard key={one.id} issue={one} index={issues.data} now={now} />
      ))}
      {closed.length > 0 ? (
        <table className="plain-table">
          <caption>Décidés, du plus récent au plus ancien</caption>
          <ColumnHeads names={['Détecté le', 'Problème', 'Dossier', 'Décision', 'Par']} />
          <tbody>
            {closed.map((one) => (
              <DecidedRow key={one.id} issue={one} />
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}

function DecidedRow({ issue }: { issue: DetectedIssue }): JSX.Element {
  const caseId = issue.implicated?.map((one) => referencedId('Task', one)).find((id) => id !== undefined);
  const mitigation = issue.mitigation?.[0];
  return (
    <tr>
      <td>{frenchDateTime(issue.identifiedDateTime ?? issue.meta?.lastUpdated)}</td>
      <td>{issueTitle(issue)}</td>
      <td>{caseId ? <Link href={`/dossier/${caseId}`}>Ouvrir le dossier</Link> : 'sans dossier'}</td>
      <td>{decisionText(issue) ?? 'réglé'}</td>
      <td>
        {mitigation?.author?.display ?? '–'} {mitigation?.date ? frenchDateTime(mitigation.date) : null}
      </td>
    </tr>
  );
}
