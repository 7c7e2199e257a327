/** A month's rota, a line a day. */
import { Button } from '@mantine/core';
import type { JSX } from 'react';
import {
  type DutyKind,
  daysOf,
  dutyKinds,
  dutyNames,
  frenchDay,
  hoursText,
  localFormats,
  type Rota,
  type Shift,
  uncoveredDays,
  weekdayOf,
} from './month.ts';

interface MonthGridProps {
  rota: Rota;
  /** `YYYY-MM-DD` where the establishment is. */
  today: string;
  /** Undefined for who only looks. */
  onShift?: (shift: Shift) => void;
  onAdd?: (day: string, kind: DutyKind) => void;
}

export function MonthGrid({ rota, today, onShift, onAdd }: MonthGridProps): JSX.Element {
  const formats = localFormats(rota.timeZone);
  const shiftsOn = (day: string) => rota.shifts.filter(({ start }) => formats.day(start) === day);
  const uncovered = uncoveredDays(rota, formats);
  return (
    <table className="plain-table rota-grid">
      <caption className="hidden">Gardes du mois, jour par jour</caption>
      <thead>
        <tr>
          <th scope="col">Jour</th>
          {dutyKinds.map((kind) => (
            <th key={kind} scope="col">
              {dutyNames[kind]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {daysOf(rota.month).map((day) => (
          <tr key={day} className={rowClass(day, today, uncovered.has(day))}>
            <th scope="row">
              {frenchDay(day)}
              {uncovered.has(day) ? <span className="rota-hole"> trou</span> : null}
            </th>
            {dutyKinds.map((kind) => (
              <td key={kind}>
                <ul className="rota-cell">
                  {shiftsOn(day)
                    .filter((shift) => shift.kind === kind)
                    .map((shift) => (
                      <li key={shift.slot}>
                        <ShiftLine shift={shift} hours={hoursText(shift, formats)} onOpen={onShift} />
                      </li>
                    ))}
                  {onAdd ? (
                    <li>
                      <Button
                        size="compact-xs"
                        variant="subtle"
                        aria-label={`Ajouter une garde : ${dutyNames[kind]}, ${frenchDay(day)}`}
                        onClick={() => onAdd(day, kind)}
                      >
                        +
                      </Button>
                    </li>
                  ) : null}
                </ul>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function rowClass(day: string, today: string, isUncovered: boolean): string {
  return [
    weekdayOf(day) > 5 ? 'rota-weekend' : '',
    day === today ? 'rota-today' : '',
    isUncovered ? 'rota-uncovered' : '',
  ]
    .filter((name) => name !== '')
    .join(' ');
}

function ShiftLine(props: { shift: Shift; hours: string; onOpen: MonthGridProps['onShift'] }): JSX.Element {
  const { shift, hours, onOpen } = props;
  const state = shift.void ? 'ne compte pas' : shift.published ? '' : 'provisoire';
  const words = (
    <>
      <span className="cell-number">{hours}</span> <strong>{shift.name}</strong>
      {state === '' ? null : <em className={shift.void ? 'rota-void' : 'muted'}> {state}</em>}
    </>
  );
  if (onOpen === undefined) return <span className="rota-shift">{words}</span>;
  return (
    <button type="button" className="rota-shift" onClick={() => onOpen(shift)}>
      {words}
    </button>
  );
}
