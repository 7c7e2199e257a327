/** The list itself: a real table whose rows are reached with the arrows and opened with Enter. */
import { type JSX, type KeyboardEvent, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { ColumnHeads } from '../shell/column-heads.tsx';
import type { WorklistRow } from './row.ts';
import { WorklistLine } from './worklist-line.tsx';

interface WorklistTableProps {
  rows: readonly WorklistRow[];
  now: Date;
  fresh: ReadonlySet<string>;
  /** Told whether the pointer or the keyboard is on the list. */
  onPointed(pointed: boolean): void;
}

const columns = [
  ...['Urgence', 'Temps restant', 'Établissement', 'Patient', 'Examen', 'Images', 'État', 'Radiologue'],
  'Pourquoi ici',
];

export function WorklistTable({ rows, now, fresh, onPointed }: WorklistTableProps): JSX.Element {
  const [, navigate] = useLocation();
  const body = useRef<HTMLTableSectionElement>(null);
  const [active, setActive] = useState<string>();
  const [explained, setExplained] = useState<string>();
  // One row is in the tab order: the last one chosen, else the first.
  const reachable = rows.some((row) => row.id === active) ? active : rows[0]?.id;

  const onKeyDown = (event: KeyboardEvent<HTMLTableSectionElement>): void => {
    const index = rows.findIndex((row) => row.id === reachable);
    const target = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === 'Enter' && reachable !== undefined) navigate(`/dossier/${reachable}`);
    else if (target === undefined) return;
    else focusRow(rows[Math.max(0, Math.min(target, rows.length - 1))]?.id);
    event.preventDefault();
  };
  const focusRow = (id: string | undefined): void => {
    setActive(id);
    body.current?.querySelector<HTMLElement>(`[data-case="${id}"]`)?.focus();
  };

  return (
    <div className="worklist-scroll">
      <table className="worklist-table">
        <caption className="hidden">Dossiers, du plus urgent au moins urgent</caption>
        <ColumnHeads names={columns} />
        <tbody
          ref={body}
          onKeyDown={onKeyDown}
          onPointerEnter={() => onPointed(true)}
          onPointerLeave={() => onPointed(false)}
          onFocus={() => onPointed(true)}
          onBlur={() => onPointed(false)}
        >
          {rows.map((row) => (
            <WorklistLine
              key={row.id}
              row={row}
              now={now}
              fresh={fresh.has(row.id)}
              reachable={row.id === reachable}
              onFocus={() => setActive(row.id)}
              explained={row.id === explained}
              onExplain={() => setExplained(row.id === explained ? undefined : row.id)}
              onOpen={() => navigate(`/dossier/${row.id}`)}
            />
          ))}
        </tbody>
      </table>
      {rows.length === 0 ? <p className="worklist-empty">Aucun dossier dans cette vue.</p> : null}
    </div>
  );
}
