/**
 * When to ask again for what is on the screen: when the server says that a case changed (live/), and while that line is not there often,
 * and cheaply, whether something did. A count reads no patient's data, so that the journal holds consultations and not the ticking of
 * screens.
 */
import type { Bundle } from '@medplum/fhirtypes';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { useLiveCases } from '../live/live-cases.tsx';
import { pollMs } from './query-client.ts';

/** Whatever the pulse says, the whole is asked again this often: a transaction that commits late carries an older date. */
export const wholeMs = 20_000;
/** The same of a list while every change of a case is told: what is left are changes of other things it shows. */
const wholeLiveMs = 120_000;

/** How often a whole list of cases is asked again. */
export function useWholeMs(): number {
  return useLiveCases().isLive ? wholeLiveMs : wholeMs;
}

/**
 * @param criteria search over Task without `_lastUpdated`.
 * @param known what is on the screen; undefined until it is loaded.
 * @param list of every case, in every tenant of the person where `everywhere`: whatever changes is on it, and it is asked for at once.
 */
export function usePulse(
  criteria: string,
  known: Bundle | undefined,
  refresh: () => void,
  list?: { everywhere: boolean },
): void {
  const { client } = useServices();
  const live = useLiveCases();
  const search = list?.everywhere ? client.searchEverywhere : client.search;
  const since = latestChange(known);
  const pulse = useQuery({
    queryKey: ['pulse', criteria, since],
    queryFn: ({ signal }) =>
      search(
        'Task',
        `${criteria}${since ? `&_lastUpdated=gt${encodeURIComponent(since)}` : ''}&_summary=count`,
        signal,
      ),
    enabled: known !== undefined && !live.isLive,
    refetchInterval: pollMs,
    gcTime: 0,
  });
  const changed = (pulse.data?.total ?? 0) > 0 ? pulse.dataUpdatedAt : 0;
  const again = useRef(refresh);
  again.current = refresh;
  useEffect(() => {
    if (changed > 0 && since !== undefined) again.current();
  }, [changed, since]);
  const asked = useRef<() => void>(() => undefined);
  // Some case changed: whether it is this one costs a count.
  asked.current = list ? () => again.current() : () => void pulse.refetch();
  useEffect(() => live.onChange(() => asked.current()), [live]);
}

/** Newest `meta.lastUpdated` of the Tasks of a bundle. */
function latestChange(bundle: Bundle | undefined): string | undefined {
  return (bundle?.entry ?? [])
    .flatMap(({ resource }) => (resource?.resourceType === 'Task' ? (resource.meta?.lastUpdated ?? []) : []))
    .reduce<string | undefined>(
      (latest, one) => (latest === undefined || Date.parse(one) > Date.parse(latest) ? one : latest),
      undefined,
    );
}
