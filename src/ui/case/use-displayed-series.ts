/** Viewing evidence (RP-7): each series that was on the screen is told to the server once, as soon as it may be. */
import type { Task } from '@medplum/fhirtypes';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { parametersOf } from '../fhir/parameters.ts';

export interface DisplayedSeries {
  uids: ReadonlySet<string>;
  add(uid: string): void;
}

/**
 * @param stored series the server knows this person displayed.
 * @param mayTell whether `$displayed` is legal now; what was seen before (while protocoling) is told when it becomes so.
 */
export function useDisplayedSeries(task: Task, stored: readonly string[], mayTell: boolean): DisplayedSeries {
  const { client } = useServices();
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const storedKey = stored.join(' ');
  const uids = useMemo(
    () => new Set([...seen, ...storedKey.split(' ').filter((uid) => uid !== '')]),
    [seen, storedKey],
  );
  const told = useRef(new Set<string>());
  const add = useCallback(
    (uid: string) => setSeen((before) => (before.has(uid) ? before : new Set([...before, uid]))),
    [],
  );

  useEffect(() => {
    if (!mayTell) {
      // Another turn of the same person (an addendum after a second reading) needs its own evidence.
      told.current.clear();
      return;
    }
    const known = storedKey.split(' ');
    const untold = [...seen].filter((uid) => !told.current.has(uid) && !known.includes(uid));
    if (untold.length === 0) return;
    for (const uid of untold) told.current.add(uid);
    client.operate(`Task/${task.id}/$displayed`, parametersOf({ series: untold })).catch(() => {
      // Told again with the next series, or by the server's refusal to sign without it.
      for (const uid of untold) told.current.delete(uid);
    });
  }, [client, task.id, mayTell, seen, storedKey]);

  return { uids, add };
}
