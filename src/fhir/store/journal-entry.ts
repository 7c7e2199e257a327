/** Entries of the journal as they are written (journal.ts). */
import { newId, placesInMs } from './new-id.ts';

/** An entry on its way: the id its resource will have, its instant in ISO 8601, and what the room noted. */
export type JournalEntry = readonly [id: string, at: string, noted: object];

/** Of each tenant, its latest millisecond and the entries noted in it by this process. */
const latest = new Map<string, { ms: number; noted: number }>();

/** An entry whose id follows those this process noted before for the tenant: a trail sorted by time reads in the order of what was done. */
export function journalEntry(tenant: string, noted: object, now: Date): JournalEntry {
  return [newId(now, placeOf(tenant, now.getTime())), now.toISOString(), noted];
}

/** A tenant's own count: an id tells nothing of how much others do. */
function placeOf(tenant: string, ms: number): number | undefined {
  const known = latest.get(tenant);
  if (!known || ms > known.ms) {
    latest.set(tenant, { ms, noted: 1 });
    return 0;
  }
  return known.noted < placesInMs ? known.noted++ : undefined;
}

/** Values of one row of the journal. */
export function journalRow(entries: readonly JournalEntry[]): [id: string, text: string] {
  return [entries[0]![0], JSON.stringify(entries)];
}
