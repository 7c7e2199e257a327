/** Periods of reviews (SE-7): the use of accounts each quarter, the need for them each year; days in Europe/Paris (design §5 rule 10). */

export type ReviewKind = 'use' | 'need';

export interface Period {
  kind: ReviewKind;
  /** `2026-Q4` or `2026`. */
  name: string;
  /** First day, and the day after the last, as ISO dates. */
  from: string;
  to: string;
}

/** How long after its end a period may stay without its review, in days. */
export const patienceDays = 30;

/** @throws RangeError when the name is not a period of that kind. */
export function periodNamed(name: string): Period {
  const match = /^(\d{4})(?:-Q([1-4]))?$/.exec(name);
  if (!match)
    throw new RangeError(`« ${name} » n’est pas une période : donnez un trimestre (2026-Q4) ou une année (2026)`);
  const year = Number(match[1]);
  if (match[2] === undefined) return { kind: 'need', name, from: `${match[1]}-01-01`, to: `${pad(year + 1, 4)}-01-01` };
  const quarter = Number(match[2]);
  const next = quarter === 4 ? `${pad(year + 1, 4)}-01-01` : `${match[1]}-${pad(quarter * 3 + 1, 2)}-01`;
  return { kind: 'use', name, from: `${match[1]}-${pad(quarter * 3 - 2, 2)}-01`, to: next };
}

/** The last whole period before a moment: what is due for review. */
export function lastPeriod(kind: ReviewKind, now: Date): Period {
  const [year, month] = parisDay(now).split('-').map(Number) as [number, number];
  if (kind === 'need') return periodNamed(pad(year - 1, 4));
  const quarter = Math.floor((month - 1) / 3);
  return periodNamed(quarter === 0 ? `${pad(year - 1, 4)}-Q4` : `${pad(year, 4)}-Q${quarter}`);
}

/** Sweden writes its days as ISO 8601 does. */
const isoDay = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris', dateStyle: 'short' });

/** The calendar day in Paris, ISO. */
export function parisDay(now: Date): string {
  return isoDay.format(now);
}

/** Days from one ISO day to another. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

function pad(number: number, length: number): string {
  return String(number).padStart(length, '0');
}
