/** Entries of the journal as they are written (journal.ts). */
import { type Series, startSeries } from './new-id.ts';

/** An entry on its way: the id its resource will have, its instant in ISO 8601, and what the room noted. */
export type JournalEntry = readonly [id: string, at: string, noted: object];

/** Of each tenant, the ids of its latest millisecond: an id tells nothing of how much other tenants do. */
const latest = new Map<string, { ids: Series; at: string }>();

/** An entry whose id follows those this process noted before for the tenant: a trail sorted by time reads in the order of what was done. */
export function journalEntry(tenant: string, noted: object, now: Date): JournalEntry {
  const known = latest.get(tenant);
  if (known?.ids.ms === now.getTime()) return [known.ids.next(), known.at, noted];
  const begun = { ids: startSeries(now), at: now.toISOString() };
  latest.set(tenant, begun);
  return [begun.ids.next(), begun.at, noted];
}

/** Values of one row of the journal. */
export function journalRow(entries: readonly JournalEntry[]): [id: string, text: string] {
  return [entries[0]![0], JSON.stringify(entries)];
}
