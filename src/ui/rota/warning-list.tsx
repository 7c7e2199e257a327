/** What is wrong with a month: holes first, then people who will be tired. */
import type { JSX } from 'react';
import { counted, type Rota } from './month.ts';

export function WarningList({ warnings }: Pick<Rota, 'warnings'>): JSX.Element | null {
  const holes = warnings.filter(({ code }) => code === 'gap');
  const fatigue = warnings.filter(({ code }) => code !== 'gap');
  if (warnings.length === 0) return <p>Aucun trou, aucune alerte de repos.</p>;
  return (
    <>
      {holes.length > 0 ? (
        <Lines title={`${counted(holes.length, 'trou')} dans le tableau`} lines={holes} open />
      ) : null}
      {fatigue.length > 0 ? <Lines title={`${counted(fatigue.length, 'alerte')} de repos`} lines={fatigue} /> : null}
    </>
  );
}

function Lines(props: { title: string; lines: Rota['warnings']; open?: boolean }): JSX.Element {
  return (
    <details open={props.open} className="rota-warnings">
      <summary>{props.title}</summary>
      <ul>
        {props.lines.map(({ code, start, text }) => (
          <li key={`${code} ${start} ${text}`}>{text}</li>
        ))}
      </ul>
    </details>
  );
}
