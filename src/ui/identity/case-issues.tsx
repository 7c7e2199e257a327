/** Open problems of one case that the person before it may decide about: a homonym, a duplicate; anything, for identity vigilance. */
import type { Task } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import type { JSX } from 'react';
import { found } from '../fhir/bundle.ts';
import { useSession } from '../session/session-context.tsx';
import { useAllowedSearch } from '../session/use-allowed-search.ts';
import { pollMs } from '../shell/query-client.ts';
import { DecisionForm } from './decision-form.tsx';
import { decisionsFor } from './decisions.ts';
import { detectedIssueText, isOpen, issueTitle } from './issue-text.ts';
import { sidesOf } from './sides.ts';
import { SidesTable } from './sides-table.tsx';

export function CaseIssues({ task }: { task: Task }): JSX.Element | null {
  const search = useAllowedSearch();
  const session = useSession();
  const issues = useQuery({
    queryKey: ['identity', task.id],
    queryFn: async ({ signal }) =>
      found(await search('DetectedIssue', `implicated=Task/${task.id}&_count=50`, signal)).all('DetectedIssue'),
    refetchInterval: 4 * pollMs,
  });
  const decidable = (issues.data ?? []).filter((one) => isOpen(one) && decisionsFor(one, session).length > 0);
  if (decidable.length === 0) return null;
  return (
    <section aria-label="Identité à confirmer">
      {decidable.map((one) => {
        const sides = sidesOf(one);
        return (
          <details key={one.id} className="issue-card">
            <summary>
              {issueTitle(one)} : {detectedIssueText(one)}
            </summary>
            {sides ? <SidesTable sides={sides} /> : null}
            <DecisionForm issue={one} choices={decisionsFor(one, session)} />
          </details>
        );
      })}
    </section>
  );
}
