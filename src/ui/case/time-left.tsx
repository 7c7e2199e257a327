/** Time left before what is owed next, live: the reading, or another delay by its name; once signed, whether the reading's was kept. */
import type { JSX } from 'react';
import { countdown } from '../time/countdown.ts';
import { frenchDateTime } from '../time/format.ts';
import { abandonedStates, signedStates } from '../words/case-status.ts';
import type { CaseFacts } from './case-facts.ts';

export function TimeLeft({ facts, now }: { facts: CaseFacts; now: Date }): JSX.Element {
  const { owed } = facts;
  if (owed !== undefined && owed.name !== 'interpretation') {
    const { level, text } = countdown(owed.due, owed.started, now);
    return (
      <span className={`time time-${level}`} title={`Échéance : ${frenchDateTime(owed.due.toISOString())}`}>
        {text} <span className="time-what">{owed.what}</span>
      </span>
    );
  }
  if (signedStates.includes(facts.state)) {
    return facts.late ? (
      <span className="time time-late">rendu en retard</span>
    ) : (
      <span className="time time-kept">délai tenu</span>
    );
  }
  if (abandonedStates.includes(facts.state)) return <span className="muted">–</span>;
  const { level, text } = countdown(facts.deadline, facts.clockStarted, now);
  const limit = facts.deadline
    ? `Échéance : ${frenchDateTime(facts.deadline.toISOString())}`
    : 'Le délai court à partir de la réception des images';
  return (
    <span className={`time time-${level}`} title={limit}>
      {level === 'none' ? <span className="muted">{text}</span> : text}
    </span>
  );
}
