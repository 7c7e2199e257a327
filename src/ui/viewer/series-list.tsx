/** Series of the study: number, description, images received, and whether it was displayed. */
import type { JSX } from 'react';
import type { Series } from './series.ts';

interface SeriesListProps {
  series: readonly Series[];
  current: string;
  displayed: ReadonlySet<string>;
  onChoose(uid: string): void;
}

export function SeriesList({ series, current, displayed, onChoose }: SeriesListProps): JSX.Element {
  return (
    <nav className="series-list" aria-label="Séries">
      <ul>
        {series.map((one) => (
          <li key={one.uid}>
            <button
              type="button"
              className="series"
              aria-current={one.uid === current ? 'true' : undefined}
              onClick={() => onChoose(one.uid)}
              title={one.description ?? 'Série sans description'}
            >
              <span className="series-number">{one.number ?? '–'}</span>
              <span className="series-text">
                <span className="series-name">{one.description ?? 'Sans description'}</span>
                <span className="muted">
                  {[one.modality, `${one.instances} ${one.instances > 1 ? 'images' : 'image'}`]
                    .filter((part) => part)
                    .join(' · ')}
                </span>
              </span>
              {displayed.has(one.uid) ? (
                <span className="series-seen" role="img" aria-label="affichée">
                  ✓
                </span>
              ) : null}
            </button>
          </li>
        ))}
      </ul>
    </nav>
  );
}
