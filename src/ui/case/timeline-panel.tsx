/** The eight timestamps of the contract, Paris time. */
import type { Task } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { frenchInstant } from '../time/format.ts';
import { Panel } from './panel.tsx';
import { type Milestone, timeline } from './timeline.ts';

export function TimelinePanel({ task }: { task: Task }): JSX.Element {
  const { contractual, others } = timeline(task);
  const reached = contractual.filter((one) => one.at !== undefined).length;
  return (
    <Panel title="Chronologie" note={`${reached} / ${contractual.length} · heure de Paris`}>
      <ol className="timeline" aria-label="Horodatages du dossier">
        {contractual.map((one) => (
          <Moment key={one.code} milestone={one} />
        ))}
      </ol>
      {others.length > 0 ? (
        <ul className="timeline timeline-others" aria-label="Autres moments">
          {others.map((one) => (
            <Moment key={one.code} milestone={one} />
          ))}
        </ul>
      ) : null}
    </Panel>
  );
}

function Moment({ milestone: { label, at } }: { milestone: Milestone }): JSX.Element {
  return (
    <li className={at === undefined ? 'moment moment-pending' : 'moment'}>
      <span>{label}</span>
      {at === undefined ? <span className="muted">pas encore</span> : <time dateTime={at}>{frenchInstant(at)}</time>}
    </li>
  );
}
