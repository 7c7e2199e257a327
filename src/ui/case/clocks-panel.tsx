/** Delays that run on the case, legal and net of the pauses, each with the clause it comes from; those that stopped below. */
import type { Task } from '@medplum/fhirtypes';
import type { JSX } from 'react';
import { useNow } from '../shell/use-now.ts';
import { frenchDateTime } from '../time/format.ts';
import { clocksOf, legalTime, netTime, type ShownClock } from './clocks.ts';
import { Panel } from './panel.tsx';

export function ClocksPanel({ task }: { task: Task }): JSX.Element | null {
  const now = useNow();
  const clocks = clocksOf(task);
  if (clocks.length === 0) return null;
  const running = clocks.filter(({ stopped }) => stopped === undefined);
  const stopped = clocks.filter((one) => one.stopped !== undefined);
  return (
    <Panel title="Délais" note={running.length === 0 ? 'aucun en cours' : `${running.length} en cours`}>
      <ul className="clocks" aria-label="Délais en cours">
        {running.map((one) => (
          <ClockLine key={keyOf(one)} clock={one} now={now} />
        ))}
      </ul>
      {stopped.length > 0 ? (
        <ul className="clocks clocks-stopped" aria-label="Délais terminés">
          {stopped.map((one) => (
            <ClockLine key={keyOf(one)} clock={one} now={now} />
          ))}
        </ul>
      ) : null}
    </Panel>
  );
}

const keyOf = ({ name, started }: ShownClock): string => `${name}-${started?.toISOString()}`;

function ClockLine({ clock, now }: { clock: ShownClock; now: Date }): JSX.Element {
  const legal = legalTime(clock, now);
  const net = netTime(clock, now);
  return (
    <li className="clock">
      <span>{clock.label}</span>
      <span className={`time time-${legal.level}`}>{legal.text}</span>
      <span className="muted">
        {clock.due ? `échéance ${frenchDateTime(clock.due.toISOString())}` : 'sans échéance'}
        {net ? ` · net des pauses : ${net.text}` : ''}
      </span>
      {clock.why === '' ? null : <span className="muted clock-why">{clock.why}</span>}
    </li>
  );
}
