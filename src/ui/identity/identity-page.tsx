/** Images et identités à vérifier: what waits or is quarantined, with its reason. */
import { Loader } from '@mantine/core';
import type { DetectedIssue } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { type JSX, useEffect } from 'react';
import { Link } from 'wouter';
import { type Found, found, referencedId } from '../fhir/bundle.ts';
import { useServices } from '../fhir/client-context.tsx';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { pollMs } from '../shell/query-client.ts';
import { frenchDateTime } from '../time/format.ts';
import { patientIdentity } from '../words/people.ts';
import { detectedIssueText, isOpen } from './issue-text.ts';

const query = '_sort=-identified&_count=100&_include=DetectedIssue:patient&_include=DetectedIssue:implicated';

export function IdentityPage(): JSX.Element {
  const { client } = useServices();
  const issues = useQuery({
    queryKey: ['identity'],
    queryFn: async ({ signal }) => found(await client.search('DetectedIssue', query, signal)),
    refetchInterval: 2 * pollMs,
  });
  useEffect(() => {
    document.title = 'Images et identités à vérifier – Passerelle';
  }, []);
  if (issues.isPending) return <Loader className="centre" aria-label="Chargement" />;
  const all = issues.data?.all('DetectedIssue') ?? [];
  const open = all.filter(isOpen);
  const closed = all.filter((one) => !isOpen(one));
  return (
    <section className="page" aria-labelledby="titre-identites">
      <h1 id="titre-identites">Images et identités à vérifier</h1>
      {issues.isError ? <ErrorBanner error={issues.error} onRetry={() => void issues.refetch()} /> : null}
      <p role="status">{open.length === 0 ? 'Rien à vérifier.' : `${open.length} à vérifier.`}</p>
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
