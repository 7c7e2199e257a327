/**
 * Pages of several searches as one page in their common order. Each search brought its first `count` rows beyond one place, so the first
 * `count` of all are among them, and the place of the last one is where all of them go on.
 */
import type { Place } from './cursor.ts';
import type { SortColumn } from './sort.ts';

/** What the values of one sort column compare by. Missing ones come last, ascending and descending. */
export type SortOrder = Pick<SortColumn, 'type' | 'descending'>;

/** What one search brought. */
export interface SortedRows<Row> {
  rows: readonly { row: Row; place: Place }[];
  /** It has more beyond them. */
  hasMore: boolean;
}

export interface MergedRows<Row> {
  rows: Row[];
  /** Of the last row, when there is more beyond it. */
  next?: Place;
}

/** @param sources in the order in which rows that are equal in everything are told. */
export function mergeRows<Row>(
  sources: readonly SortedRows<Row>[],
  order: readonly SortOrder[],
  count: number,
): MergedRows<Row> {
  const all = sources.flatMap(({ rows }) => rows).sort((a, b) => comparePlaces(a.place, b.place, order));
  let end = Math.min(count, all.length);
  // Two tenants may use one id at one instant: a place cannot lie between them.
  while (end > 0 && end < all.length && comparePlaces(all[end - 1]!.place, all[end]!.place, order) === 0) end++;
  const last = all[end - 1];
  const goesOn = end < all.length || sources.some(({ hasMore }) => hasMore);
  return { rows: all.slice(0, end).map(({ row }) => row), ...(last && goesOn ? { next: last.place } : {}) };
}

/** Negative when `a` comes first. */
export function comparePlaces(a: Place, b: Place, order: readonly SortOrder[]): number {
  for (const [index, { type, descending }] of order.entries()) {
    const [one = null, other = null] = [a[index], b[index]];
    if (one === other) continue;
    if (one === null || other === null) return one === null ? 1 : -1;
    const difference = comparators[type](one, other);
    if (difference !== 0) return descending ? -difference : difference;
  }
  return 0;
}

const comparators: Readonly<Record<SortColumn['type'], (a: string, b: string) => number>> = {
  // COLLATE "C".
  text: (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)),
  'double precision': (a, b) => Number(a) - Number(b),
  timestamptz: (a, b) => {
    const [one, other] = [instantOf(a), instantOf(b)];
    return one === other ? 0 : one < other ? -1 : 1;
  },
};

const timestamp = /^(\d{4,6})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/** Microseconds since 1970 of a timestamp as PostgreSQL writes it. */
function instantOf(text: string): bigint {
  const [, year, month, day, hour, minute, second, fraction = '', sign, ...offset] = timestamp.exec(text) ?? [];
  // `-infinity`: no date at all.
  if (!sign) return -(1n << 62n);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  const [hours = 0, minutes = 0, seconds = 0] = offset.map((part) => Number(part ?? 0));
  const offsetMs = (sign === '-' ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds) * 1000;
  return BigInt(date.getTime() - offsetMs) * 1000n + BigInt(fraction.padEnd(6, '0'));
}
