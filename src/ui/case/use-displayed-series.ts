/** Viewing evidence (RP-7): each series that was on the screen is told to the server once, as soon as it may be. */
import type { Task } from '@medplum/fhirtypes';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useServices } from '../fhir/client-context.tsx';
import { parametersOf } from '../fhir/parameters.ts';

export interface DisplayedSeries {
  uids: ReadonlySet<string>;
  add(uid: string): void;
}

/** @param mayTell whether `$displayed` is legal now; what was seen before (while protocoling) is told when it becomes so. */
export function useDisplayedSeries(task: Task, mayTell: boolean): DisplayedSeries {
  const { client } = useServices();
  const [uids, setUids] = useState<ReadonlySet<string>>(new Set());
  const told = useRef(new Set<string>());
  const add = useCallback((uid: string) => setUids((seen) => (seen.has(uid) ? seen : new Set([...seen, uid]))), []);

  useEffect(() => {
    if (!mayTell) return;
    const untold = [...uids].filter((uid) => !told.current.has(uid));
    if (untold.length === 0) return;
    for (const uid of untold) told.current.add(uid);
    client.operate(`Task/${task.id}/$displayed`, parametersOf({ series: untold })).catch(() => {
      // Told again with the next series, or by the server's refusal to sign without it.
      for (const uid of untold) told.current.delete(uid);
    });
  }, [client, task.id, mayTell, uids]);

  return { uids, add };
}
