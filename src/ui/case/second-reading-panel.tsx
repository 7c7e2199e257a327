/** Deuxième lecture, relectures, additifs: who asked what, who does it, what came of it. What may be done stands in the action bar. */
import type { JSX } from 'react';
import { frenchDateTime } from '../time/format.ts';
import { Panel } from './panel.tsx';
import type { SideWork } from './second-reading.ts';

const stateTexts: Readonly<Record<SideWork['status'], string>> = {
  wanted: 'attend un lecteur',
  taken: 'en cours',
  done: 'fait',
  dropped: 'sans suite',
};

export function SecondReadingPanel({ works }: { works: readonly SideWork[] }): JSX.Element | null {
  if (works.length === 0) return null;
  const open = works.filter(({ status }) => status === 'wanted' || status === 'taken').length;
  return (
    <Panel title="Deuxième lecture, relectures et additifs" note={open > 0 ? `${open} en cours` : undefined}>
      <ul className="alerts" aria-label="Lectures et additifs" aria-live="polite">
        {works.map((one) => (
          <WorkLine key={one.id} work={one} />
        ))}
      </ul>
    </Panel>
  );
}

function WorkLine({ work }: { work: SideWork }): JSX.Element {
  const isOpen = work.status === 'wanted' || work.status === 'taken';
  return (
    <li className={isOpen || work.agrees === false ? 'alert alert-warning' : 'alert alert-note'}>
      <strong>
        {work.title} : {stateTexts[work.status]}
        {work.reader ? `, ${work.reader.name}` : ''}
        {work.blind ? ' (en aveugle)' : ''}
      </strong>
      {work.reason ? <span>{work.reason}</span> : null}
      {work.opinion === undefined ? null : (
        <span className="long-text">
          Avis {work.agrees ? 'concordant' : 'discordant'} : {work.opinion}
        </span>
      )}
      {work.isBetweenReaders ? <span>Avis donné avant la signature, entre lecteurs.</span> : null}
      {work.outcome && work.outcome !== work.reason ? <span>{work.outcome}</span> : null}
      <span className="muted">
        {work.askedAt ? `Demandé le ${frenchDateTime(work.askedAt)}` : ''}
        {work.askedBy ? ` par ${work.askedBy}` : ''}
        {work.endedAt ? `, terminé le ${frenchDateTime(work.endedAt)}` : ''}
      </span>
    </li>
  );
}
