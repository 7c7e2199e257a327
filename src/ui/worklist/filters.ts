/** The views of the worklist, and the search box. */
import { systems } from '../fhir/systems.ts';
import { signedStates } from '../words/case-status.ts';
import { plain } from '../words/plain.ts';
import type { WorklistRow } from './row.ts';

export type WorklistFilter = 'todo' | 'mine' | 'reading' | 'signed' | 'all';

export const filterNames: readonly { value: WorklistFilter; label: string }[] = [
  { value: 'todo', label: 'À traiter' },
  { value: 'mine', label: 'Mes dossiers' },
  { value: 'reading', label: 'En lecture' },
  { value: 'signed', label: 'Signés' },
  { value: 'all', label: 'Tous' },
];

/** Rows asked for at once: the first to be dealt with, or the newest of what is over. Above it the list says that it is cut. */
export const worklistLimit = 300;

/** Cases to deal with come from the worklist of the server, in its order; what is over from a search, the newest first. */
export function isOrdered(filter: WorklistFilter): boolean {
  return filter === 'todo' || filter === 'mine' || filter === 'reading';
}

/** Parameters of `Task/$worklist` behind a view. */
export function worklistQuestion(filter: WorklistFilter): string {
  const narrowed = filter === 'reading' ? '&stage=in-hand' : filter === 'mine' ? '&mine=true' : '';
  return `_count=${worklistLimit}${narrowed}`;
}

/** Criteria of the FHIR search behind a view; the server narrows by state so that old cases are not carried. */
export function worklistCriteria(filter: WorklistFilter): string {
  const narrowed =
    filter === 'signed'
      ? `&business-status=${signedStates.map((state) => encodeURIComponent(`${systems.caseStatus}|${state}`)).join(',')}`
      : '';
  const code = encodeURIComponent(`${systems.taskCode}|teleradiology-case`);
  return `code=${code}${narrowed}`;
}

/** Whether a row belongs to a view: a case already being read is still to be dealt with until signed. */
export function belongs(row: WorklistRow, filter: WorklistFilter): boolean {
  // The server says what waits for somebody, a signed case that is to be read again among them.
  if (isOrdered(filter)) return row.place !== undefined;
  if (filter === 'signed') return signedStates.includes(row.facts.state);
  return true;
}

/** Every word typed must be found somewhere in the row. */
export function matchesSearch(row: WorklistRow, text: string): boolean {
  return plain(text)
    .split(/\s+/)
    .every((word) => row.searchable.includes(word));
}
