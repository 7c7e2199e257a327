/** Entries of the journal as they are written (journal.ts). */
import { newId } from './new-id.ts';

/** An entry on its way: the id its resource will have, its instant in ISO 8601, and what the room noted. */
export type JournalEntry = readonly [id: string, at: string, noted: object];

export function journalEntry(noted: object, now: Date): JournalEntry {
  return [newId(now), now.toISOString(), noted];
}

/** Values of one row of the journal. */
export function journalRow(entries: readonly JournalEntry[]): [id: string, text: string] {
  return [entries[0]![0], JSON.stringify(entries)];
}
