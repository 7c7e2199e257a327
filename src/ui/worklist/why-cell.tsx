/** Why a row stands where it stands: by how much it was moved, and on demand each term of the score. */
import { type JSX, useId } from 'react';
import { minutesText, shiftText, type WorklistPlace } from './place.ts';

interface WhyCellProps {
  place: WorklistPlace;
  open: boolean;
  reachable: boolean;
  onToggle(): void;
}

export function WhyCell({ place, open, reachable, onToggle }: WhyCellProps): JSX.Element {
  const id = useId();
  return (
    <td className="why">
      <button
        type="button"
        className="why-button"
        title={place.why}
        aria-expanded={open}
        aria-controls={id}
        tabIndex={reachable ? 0 : -1}
        onKeyDown={(event) => event.stopPropagation()}
        onClick={(event) => {
          event.stopPropagation();
          onToggle();
        }}
      >
        {shiftText(place) ?? 'échéance'}
        <span className="hidden"> : pourquoi ce dossier est à cette place</span>
      </button>
      {open ? (
        <ul id={id} className="why-terms">
          <li>{place.urgent ? 'Urgent : avant tout dossier non urgent' : 'Non urgent : après les urgents'}</li>
          {place.terms.map(({ code, minutes, text }) => (
            <li key={code}>
              {text}{' '}
              <strong>
                {minutes > 0 ? '+' : '−'}
                {minutesText(Math.abs(minutes))}
              </strong>
            </li>
          ))}
        </ul>
      ) : null}
    </td>
  );
}
