/** The four views of the worklist, and the search box. */
import { systems } from '../fhir/systems.ts';
import { abandonedStates, readingStates, signedStates } from '../words/case-status.ts';
import { plain } from '../words/plain.ts';
import type { WorklistRow } from './row.ts';

export type WorklistFilter = 'todo' | 'reading' | 'signed' | 'all';

export const filterNames: readonly { value: WorklistFilter; label: string }[] = [
  { value: 'todo', label: 'À traiter' },
  { value: 'reading', label: 'En lecture' },
  { value: 'signed', label: 'Signés' },
  { value: 'all', label: 'Tous' },
];

/** Rows asked for at once; the newest by last change. Above it the list says that it is cut. */
export const worklistLimit = 300;

const openTaskStatuses = 'draft,requested,received,accepted,ready,in-progress,on-hold';

/** Criteria of the FHIR search behind a view; the server narrows by status so that old cases are not carried. */
export function worklistCriteria(filter: WorklistFilter): string {
  const narrowed =
    filter === 'todo' || filter === 'reading'
      ? `&status=${openTaskStatuses}`
      : filter === 'signed'
        ? `&business-status=${signedStates.map((state) => encodeURIComponent(`${systems.caseStatus}|${state}`)).join(',')}`
        : '';
  const code = encodeURIComponent(`${systems.taskCode}|teleradiology-case`);
  return `code=${code}${narrowed}`;
}

/** Whether a row belongs to a view: a case already being read is still to be dealt with until signed. */
export function belongs(row: WorklistRow, filter: WorklistFilter): boolean {
  const state = row.facts.state;
  if (filter === 'todo') return !signedStates.includes(state) && !abandonedStates.includes(state);
  if (filter === 'reading') return readingStates.includes(state);
  if (filter === 'signed') return signedStates.includes(state);
  return true;
}

/** Every word typed must be found somewhere in the row. */
export function matchesSearch(row: WorklistRow, text: string): boolean {
  return plain(text)
    .split(/\s+/)
    .every((word) => row.searchable.includes(word));
}
