/**
 * Order of the worklist (WF-11): as the server ranked what can still be acted on (urgency, then the virtual due time of `Task/$worklist`),
 * then what it did not rank, the newest first. The rank is compared and not the order of the answer, which may be of several tenants.
 */
import type { WorklistPlace } from './place.ts';
import type { WorklistRow } from './row.ts';

export function sortRows(rows: readonly WorklistRow[]): WorklistRow[] {
  return [...rows].sort(compareRows);
}

function compareRows(a: WorklistRow, b: WorklistRow): number {
  if (a.place && b.place) return comparePlaces(a.place, b.place) || byId(a, b);
  if (a.place || b.place) return a.place ? -1 : 1;
  return received(b) - received(a) || byId(a, b);
}

function comparePlaces(a: WorklistPlace, b: WorklistPlace): number {
  if (a.urgent !== b.urgent) return a.urgent ? -1 : 1;
  return a.at.getTime() - b.at.getTime();
}

/**
 * Keeps the order a person is pointing at: rows already shown stay where they are, new ones come after, gone ones leave.
 * @param frozen whether the pointer or the keyboard is on the list.
 */
export function stableOrder(shown: readonly string[], sorted: readonly WorklistRow[], frozen: boolean): WorklistRow[] {
  if (!frozen) return [...sorted];
  const position = new Map(shown.map((id, index) => [id, index]));
  const place = (row: WorklistRow): number => position.get(row.id) ?? Number.MAX_SAFE_INTEGER;
  return sorted
    .map((row, index) => ({ row, index }))
    .sort((a, b) => place(a.row) - place(b.row) || a.index - b.index)
    .map(({ row }) => row);
}

function received({ facts }: WorklistRow): number {
  return facts.receivedAt?.getTime() ?? 0;
}

function byId(a: WorklistRow, b: WorklistRow): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
