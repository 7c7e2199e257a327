/** Order of the worklist (WF-11): what can still be acted on first, then urgency, then time left, then the oldest. */
import { abandonedStates, signedStates } from '../words/case-status.ts';
import type { WorklistRow } from './row.ts';

export function sortRows(rows: readonly WorklistRow[]): WorklistRow[] {
  return [...rows].sort(compareRows);
}

export function compareRows(a: WorklistRow, b: WorklistRow): number {
  const closedA = isClosed(a);
  const closedB = isClosed(b);
  if (closedA !== closedB) return closedA ? 1 : -1;
  if (closedA) return time(b.facts.receivedAt, 0) - time(a.facts.receivedAt, 0) || byId(a, b);
  if (a.facts.urgent !== b.facts.urgent) return a.facts.urgent ? -1 : 1;
  // A case whose clock has not started has no deadline: after those which have one, the oldest request first.
  const deadlineA = time(a.facts.deadline, Number.MAX_SAFE_INTEGER);
  const deadlineB = time(b.facts.deadline, Number.MAX_SAFE_INTEGER);
  return deadlineA - deadlineB || time(a.facts.receivedAt, 0) - time(b.facts.receivedAt, 0) || byId(a, b);
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

function isClosed(row: WorklistRow): boolean {
  return signedStates.includes(row.facts.state) || abandonedStates.includes(row.facts.state);
}

function time(date: Date | undefined, absent: number): number {
  return date?.getTime() ?? absent;
}

function byId(a: WorklistRow, b: WorklistRow): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
