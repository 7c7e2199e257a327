/** Images et identités à vérifier: what waits or is quarantined, with its reason. */
import { Loader } from '@mantine/core';
import type { DetectedIssue } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { type JSX, useEffect } from 'react';
import { Link } from 'wouter';
import { type Found, found, referencedId } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { useAllowedSearch } from '../session/use-allowed-search.ts';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { pollMs } from '../shell/query-client.ts';
import { useNow } from '../shell/use-now.ts';
import { frenchDateTime } from '../time/format.ts';
import { patientIdentity } from '../words/people.ts';
import { detectedIssueText, isOpen } from './issue-text.ts';
import { messageQuery, messagesOf, namedStudies } from './messages.ts';
import { MessagesTable } from './messages-table.tsx';

const query = '_sort=-identified&_count=100&_include=DetectedIssue:patient&_include=DetectedIssue:implicated';

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
  useEffect(() => {
    document.title = 'Images et identités à vérifier – Passerelle';
  }, []);
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
      {all.length > 0 ? <h2>Identités</h2> : null}
      {all.length > 0 ? (
        <table className="plain-table">
          <caption className="hidden">Problèmes détectés, du plus récent au plus ancien</caption>
          <thead>
            <tr>
              {['Détecté le', 'Problème', 'Patient', 'Dossier', 'Situation'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...open, ...closed].map((one) => (
              <IssueRow key={one.id} issue={one} index={issues.data} />
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}

function IssueRow({ issue, index }: { issue: DetectedIssue; index: Found | undefined }): JSX.Element {
  const patient = index?.at('Patient', issue.patient);
  const caseId = issue.implicated?.map((one) => referencedId('Task', one)).find((id) => id !== undefined);
  return (
    <tr className={isOpen(issue) ? 'issue-open' : undefined}>
      <td>{frenchDateTime(issue.identifiedDateTime ?? issue.meta?.lastUpdated)}</td>
      <td>{detectedIssueText(issue)}</td>
      <td>{patient ? patientIdentity(patient).name : (issue.patient?.display ?? '–')}</td>
      <td>{caseId ? <Link href={`/dossier/${caseId}`}>Ouvrir le dossier</Link> : 'sans dossier'}</td>
      <td>{isOpen(issue) ? 'à vérifier' : 'réglé'}</td>
    </tr>
  );
}
