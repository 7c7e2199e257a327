/** What to say aloud when the list changes by itself: new cases, and cases that just became late. Short, and only then. */
import type { WorklistRow } from './row.ts';

export interface Arrivals {
  /** Ids to mark as new. */
  newIds: string[];
  /** Sentence for the live region; empty when nothing is worth saying. */
  message: string;
}

/** @param known ids of the last list of the same view; undefined for its first load, which announces nothing. */
export function arrivals(known: ReadonlySet<string> | undefined, rows: readonly WorklistRow[]): Arrivals {
  if (known === undefined) return { newIds: [], message: '' };
  const fresh = rows.filter((row) => !known.has(row.id));
  return { newIds: fresh.map((row) => row.id), message: announcement(fresh) };
}

function announcement(fresh: readonly WorklistRow[]): string {
  const [first] = fresh;
  if (first === undefined) return '';
  const urgent = fresh.filter((row) => row.facts.urgent).length;
  if (fresh.length === 1)
    return `Nouveau dossier${urgent === 1 ? ' urgent' : ''} : ${first.patient}, ${first.exam.text}, ${first.hospital}.`;
  const share = urgent === 0 ? '' : urgent === 1 ? ', dont 1 urgent' : `, dont ${urgent} urgents`;
  return `${fresh.length} nouveaux dossiers${share}.`;
}
