/** One open problem: what it is, until when, both sides compared, and the decision. */
import type { DetectedIssue } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { Link } from 'wouter';
import { type Found, referencedId } from '../fhir/bundle.ts';
import { extensions } from '../fhir/systems.ts';
import { useSession } from '../session/session-context.tsx';
import { frenchDateTime } from '../time/format.ts';
import { DecisionForm } from './decision-form.tsx';
import { decisionsFor } from './decisions.ts';
import { detectedIssueText, issueTitle } from './issue-text.ts';
import { sidesOf } from './sides.ts';
import { SidesTable } from './sides-table.tsx';

interface IssueCardProps {
  issue: DetectedIssue;
  index: Found | undefined;
  now: Date;
}

export function IssueCard({ issue, index, now }: IssueCardProps): JSX.Element {
  const session = useSession();
  const sides = sidesOf(issue);
  const choices = decisionsFor(issue, session);
  const due = dueOf(issue);
  const late = due.at !== undefined && Date.parse(due.at) <= now.getTime();
  const cases = (issue.implicated ?? []).flatMap((one) => referencedId('Task', one) ?? []);
  return (
    <article className="issue-card" aria-labelledby={`probleme-${issue.id}`}>
      <h3 id={`probleme-${issue.id}`}>{issueTitle(issue)}</h3>
      <p>{detectedIssueText(issue)}</p>
      <p className="muted">
        Détecté le {frenchDateTime(issue.identifiedDateTime ?? issue.meta?.lastUpdated)}
        {due.at === undefined ? null : (
          <span className={late ? 'issue-late' : undefined}>
            {late ? ', décision attendue depuis le ' : ', à décider avant le '}
            {frenchDateTime(due.at)}
          </span>
        )}
        {due.owner?.display === undefined ? null : `, par ${due.owner.display}`}
      </p>
      <p>
        {cases.length === 0
          ? 'Images sans dossier.'
          : cases.map((id) => (
              <Link key={id} href={`/dossier/${id}`} className="issue-case">
                Ouvrir le dossier {index?.at('Task', { reference: `Task/${id}` })?.identifier?.[0]?.value ?? ''}
              </Link>
            ))}
      </p>
      {sides ? <SidesTable sides={sides} /> : null}
      {choices.length > 0 ? (
        <DecisionForm key={issue.id} issue={issue} choices={choices} />
      ) : (
        <p className="muted">La décision revient à l’identitovigilance.</p>
      )}
    </article>
  );
}

function dueOf(issue: DetectedIssue) {
  const parts = issue.extension?.find(({ url }) => url === extensions.decisionDue)?.extension;
  return {
    at: parts?.find(({ url }) => url === 'due')?.valueDateTime,
    owner: parts?.find(({ url }) => url === 'owner')?.valueReference,
  };
}
