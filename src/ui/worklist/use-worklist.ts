/** The worklist: rows of a view, what is new in it, and its order; asked again when the server says that a case changed. */
import type { Bundle } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { taskIncludes, taskIncludesEverywhere, worksElsewhere } from '../session/rights.ts';
import { useSession } from '../session/session-context.tsx';
import { usePulse, useWholeMs } from '../shell/use-pulse.ts';
import { arrivals } from './arrivals.ts';
import {
  belongs,
  isOrdered,
  type WorklistFilter,
  worklistCriteria,
  worklistLimit,
  worklistQuestion,
} from './filters.ts';
import { sortRows, stableOrder } from './order.ts';
import { type WorklistRow, worklistRows } from './row.ts';

export interface Worklist {
  rows: WorklistRow[];
  loading: boolean;
  error: unknown;
  retry(): void;
  /** More cases match than are shown. */
  cut: boolean;
  /** What the server could not list, in sentences. */
  missing: readonly string[];
  /** Ids that arrived since the view was opened. */
  fresh: ReadonlySet<string>;
  /** Sentence for the live region. */
  announcement: string;
  /** Whether a better order waits for the pointer to leave. */
  orderHeld: boolean;
}

/** @param frozen whether a person is pointing at the list: rows then keep their places. */
export function useWorklist(filter: WorklistFilter, frozen: boolean): Worklist {
  const { client, clock } = useServices();
  const session = useSession();
  const isEverywhere = worksElsewhere(session);
  const query = useQuery({
    queryKey: ['worklist', filter],
    queryFn: ({ signal }) => {
      const includes = isEverywhere ? taskIncludesEverywhere(session) : taskIncludes(session);
      if (isOrdered(filter)) {
        const path = `Task/$worklist?${worklistQuestion(filter)}&${includes}`;
        return isEverywhere ? client.askEverywhere<Bundle>(path, signal) : client.ask<Bundle>(path, signal);
      }
      const query = `${worklistCriteria(filter)}&_sort=-_lastUpdated&_count=${worklistLimit}&${includes}`;
      return isEverywhere ? client.searchEverywhere('Task', query, signal) : client.search('Task', query, signal);
    },
    refetchInterval: useWholeMs(),
  });
  // A case that leaves the view has no place in its criteria any more: every case is watched, whatever the view.
  usePulse(worklistCriteria('all'), query.data, () => void query.refetch(), { everywhere: isEverywhere });
  const rows = useMemo(
    () => sortRows(worklistRows(query.data, clock.now(), session.tenant).filter((row) => belongs(row, filter))),
    [query.data, clock, filter, session.tenant],
  );
  const { fresh, announcement } = useArrivals(filter, query.data ? rows : undefined);

  const shown = useRef<{ filter: WorklistFilter; ids: string[] }>({ filter, ids: [] });
  const held = frozen && shown.current.filter === filter && shown.current.ids.length > 0;
  const ordered = useMemo(() => stableOrder(shown.current.ids, rows, held), [rows, held]);
  useEffect(() => {
    shown.current = { filter, ids: ordered.map((row) => row.id) };
  }, [filter, ordered]);

  return {
    rows: ordered,
    loading: query.isPending,
    error: query.isError ? query.error : undefined,
    retry: () => void query.refetch(),
    cut: query.data?.link?.some(({ relation }) => relation === 'next') === true,
    missing: missingIn(query.data),
    fresh,
    announcement,
    orderHeld: held && ordered.some((row, index) => row.id !== rows[index]?.id),
  };
}

/** A hospital that does not answer must not look like one without cases. */
function missingIn(bundle: Bundle | undefined): string[] {
  const texts = (bundle?.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === 'OperationOutcome' ? resource.issue.flatMap(({ details }) => details?.text ?? []) : [],
  );
  return [...new Set(texts)];
}

function useArrivals(
  filter: WorklistFilter,
  rows: WorklistRow[] | undefined,
): { fresh: ReadonlySet<string>; announcement: string } {
  const known = useRef<{ filter: WorklistFilter; ids: Set<string> }>(undefined);
  const [news, setNews] = useState<{ fresh: ReadonlySet<string>; announcement: string }>({
    fresh: new Set(),
    announcement: '',
  });
  useEffect(() => {
    if (!rows) return;
    const before = known.current?.filter === filter ? known.current.ids : undefined;
    const { newIds, message } = arrivals(before, rows);
    known.current = { filter, ids: new Set([...(before ?? []), ...rows.map((row) => row.id)]) };
    if (before === undefined) setNews({ fresh: new Set(), announcement: '' });
    else if (newIds.length > 0)
      setNews((old) => ({ fresh: new Set([...old.fresh, ...newIds]), announcement: message }));
  }, [filter, rows]);
  return news;
}
