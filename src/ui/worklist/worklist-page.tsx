/** Liste de travail. */
import { Loader, SegmentedControl, TextInput } from '@mantine/core';
import { type JSX, useEffect, useRef, useState } from 'react';
import { ErrorBanner } from '../shell/error-banner.tsx';
import { useNow } from '../shell/use-now.ts';
import { usePageTitle } from '../shell/use-page-title.ts';
import { filterNames, isOrdered, matchesSearch, type WorklistFilter, worklistLimit } from './filters.ts';
import { isLate } from './late.ts';
import { useWorklist } from './use-worklist.ts';
import { WorklistTable } from './worklist-table.tsx';

export function WorklistPage(): JSX.Element {
  const [filter, setFilter] = useState<WorklistFilter>('todo');
  const [search, setSearch] = useState('');
  const [pointed, setPointed] = useState(false);
  const worklist = useWorklist(filter, pointed);
  const now = useNow();
  const searchBox = useRef<HTMLInputElement>(null);
  const rows = worklist.rows.filter((row) => matchesSearch(row, search));
  const late = rows.filter((row) => isLate(row, now)).length;

  const urgent = worklist.rows.filter((row) => row.facts.urgent).length;
  usePageTitle(filter === 'todo' && urgent > 0 ? `(${urgent}) Liste de travail` : 'Liste de travail');

  useEffect(() => {
    const toSearch = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      searchBox.current?.focus();
    };
    window.addEventListener('keydown', toSearch);
    return () => window.removeEventListener('keydown', toSearch);
  }, []);

  return (
    <section className="worklist" aria-labelledby="titre-liste">
      <div className="worklist-bar">
        <h1 id="titre-liste">Liste de travail</h1>
        <SegmentedControl
          size="xs"
          aria-label="Dossiers affichés"
          data={filterNames.map(({ value, label }) => ({ value, label }))}
          value={filter}
          onChange={(value) => setFilter(value as WorklistFilter)}
        />
        <TextInput
          ref={searchBox}
          size="xs"
          type="search"
          aria-label="Rechercher"
          placeholder="Rechercher : patient, IPP, hôpital, examen…  ( / )"
          className="worklist-search"
          value={search}
          maxLength={100}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
        <p className="worklist-count">
          {rows.length} {rows.length > 1 ? 'dossiers' : 'dossier'}
          {late > 0 ? <strong className="late-count"> · {late} en retard</strong> : null}
          {worklist.orderHeld ? <span className="muted"> · ordre figé sous le pointeur</span> : null}
        </p>
      </div>
      <p className="worklist-news" role="status" aria-live="polite">
        {worklist.announcement}
      </p>
      {worklist.error === undefined ? null : <ErrorBanner error={worklist.error} onRetry={worklist.retry} />}
      {worklist.missing.map((sentence) => (
        <p key={sentence} className="late-count" role="alert">
          {sentence}
        </p>
      ))}
      {worklist.loading ? (
        <Loader className="centre" aria-label="Chargement de la liste" />
      ) : (
        <WorklistTable rows={rows} now={now} fresh={worklist.fresh} onPointed={setPointed} />
      )}
      {worklist.cut ? (
        <p className="muted worklist-cut">
          {isOrdered(filter)
            ? `Seuls les ${worklistLimit} premiers dossiers sont affichés.`
            : `Seuls les ${worklistLimit} dossiers modifiés le plus récemment sont affichés.`}
        </p>
      ) : null}
      <p className="muted worklist-keys">Flèches haut et bas : choisir un dossier · Entrée : ouvrir · / : rechercher</p>
    </section>
  );
}
