/** What lateness costs under a clause (WF-4). Pure, in whole cents. */
import type { Penalty } from './term.ts';

const hourMs = 3_600_000;
const unitMs = { 'started-hour': hourMs, 'started-day': 24 * hourMs } as const;

/** How often the unit is counted for so much lateness; 0 when it was not late. */
function penaltyCount(unit: Penalty['unit'], lateMs: number): number {
  if (lateMs <= 0) return 0;
  return unit === 'late-case' ? 1 : Math.ceil(lateMs / unitMs[unit]);
}

/** Cents by currency; empty when nothing is owed. */
export function penaltyAmounts(penalties: readonly Penalty[], lateMs: number): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const { unit, cents, currency } of penalties) {
    const count = penaltyCount(unit, lateMs);
    if (count > 0) amounts.set(currency, (amounts.get(currency) ?? 0) + count * cents);
  }
  return amounts;
}
