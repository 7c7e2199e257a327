/** Prefixes of ordered parameters as SQL conditions (https://hl7.org/fhir/R4/search.html#prefix). */
import { dateInterval, type Interval } from './dates.ts';
import { noDate, sqlTime } from './index-values.ts';
import { parseNumber } from './numbers.ts';
import { invalid } from './query.ts';
import type { SqlValues } from './sql-values.ts';

export const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
export type Prefix = (typeof prefixes)[number];

/** Splits `ge2026-01-01` into its prefix (`eq` when there is none) and the rest. */
export function splitPrefix(text: string): { prefix: Prefix; rest: string } {
  const prefix = prefixes.find((candidate) => text.startsWith(candidate));
  return prefix ? { prefix, rest: text.slice(2) } : { prefix: 'eq', rest: text };
}

function parseDate(code: string, text: string): Interval {
  // A `+` of a zone that was not percent-encoded arrives as a blank.
  const interval = dateInterval(text.replace(/ (\d{2}:\d{2})$/, '+$1'));
  if (!interval) throw invalid(`${code}=${text.slice(0, 60)} is not a date`);
  return interval;
}

/** Interval around `interval` that counts as approximately the same: a tenth of the distance from now. */
function approximate({ lo, hi }: Interval, nowMs: number): Interval {
  return { lo: lo - Math.abs(nowMs - lo) * 0.1, hi: hi + Math.abs(nowMs - hi) * 0.1 };
}

/**
 * Condition on a half-open interval in two columns. Rows without a date hold `-infinity` in both; the added bounds on `lo`
 * follow from the condition and let the index be read in part.
 */
export function dateCondition(
  code: string,
  value: string,
  lo: string,
  hi: string,
  values: SqlValues,
  nowMs: number,
): string {
  const { prefix, rest } = splitPrefix(value);
  const exact = parseDate(code, rest);
  const { lo: from, hi: to } = prefix === 'ap' ? approximate(exact, nowMs) : exact;
  // A parameter that is not used would have no type: each is added where it is.
  const start = () => `${values.add(sqlTime(from))}::timestamptz`;
  const end = () => `${values.add(sqlTime(to))}::timestamptz`;
  const dated = `${lo} > '${noDate}'`;
  switch (prefix) {
    case 'eq':
      return `${lo} >= ${start()} AND ${lo} < ${end()} AND ${hi} <= ${end()}`;
    case 'ne':
      return `${dated} AND (${lo} < ${start()} OR ${hi} > ${end()})`;
    case 'gt':
      return `${hi} > ${end()}`;
    case 'lt':
      return `${dated} AND ${lo} < ${start()}`;
    case 'ge':
      return `(${hi} > ${end()} OR ${lo} >= ${start()})`;
    case 'le':
      return `${dated} AND ${lo} < ${end()} AND (${lo} < ${start()} OR ${hi} <= ${end()})`;
    case 'sa':
      return `${lo} >= ${end()}`;
    case 'eb':
      return `${dated} AND ${lo} < ${start()} AND ${hi} <= ${start()}`;
    case 'ap':
      return `${lo} < ${end()} AND ${hi} > ${start()}`;
  }
}

/** Condition on `_lastUpdated`, a column of whole milliseconds. */
export function instantCondition(
  code: string,
  value: string,
  column: string,
  values: SqlValues,
  nowMs: number,
): string {
  const { prefix, rest } = splitPrefix(value);
  const exact = parseDate(code, rest);
  const { lo, hi } = prefix === 'ap' ? approximate(exact, nowMs) : exact;
  const start = () => `${column} >= ${values.add(sqlTime(lo))}::timestamptz`;
  const before = (ms: number) => `${column} < ${values.add(sqlTime(ms))}::timestamptz`;
  switch (prefix) {
    case 'eq':
    case 'ap':
      return `${start()} AND ${before(hi)}`;
    case 'ne':
      return `NOT (${start()} AND ${before(hi)})`;
    case 'gt':
    case 'sa':
      return `${column} >= ${values.add(sqlTime(hi))}::timestamptz`;
    case 'ge':
      return start();
    case 'lt':
    case 'eb':
      return before(lo);
    case 'le':
      return before(hi);
  }
}

/** Condition on a number, or range of numbers, in the columns `lo` and `hi` of alias `k`. */
export function numberCondition(code: string, value: string, values: SqlValues): string {
  const { prefix, rest } = splitPrefix(value);
  const number = parseNumber(rest);
  if (!number) throw invalid(`${code}=${rest.slice(0, 60)} is not a number`);
  const add = (x: number) => `${values.add(x)}::double precision`;
  const { value: v, range } = number;
  switch (prefix) {
    case 'eq':
      return `k.lo >= ${add(range.lo)} AND k.hi < ${add(range.hi)}`;
    case 'ne':
      return `NOT (k.lo >= ${add(range.lo)} AND k.hi < ${add(range.hi)})`;
    case 'gt':
      return `k.hi > ${add(v)}`;
    case 'lt':
      return `k.lo < ${add(v)}`;
    case 'ge':
      return `k.hi >= ${add(v)}`;
    case 'le':
      return `k.lo <= ${add(v)}`;
    case 'sa':
      return `k.lo > ${add(v)}`;
    case 'eb':
      return `k.hi < ${add(v)}`;
    case 'ap': {
      const margin = Math.max(Math.abs(v) * 0.1, v - range.lo);
      return `k.lo <= ${add(v + margin)} AND k.hi >= ${add(v - margin)}`;
    }
  }
}
