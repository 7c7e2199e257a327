/** Prefixes of ordered parameters as tests on an interval (https://hl7.org/fhir/R4/search.html#prefix). */

import { dateInterval, type Interval } from './dates.ts';
import { parseNumber } from './numbers.ts';
import { invalid } from './refusals.ts';
import type { Bound, RangeTest } from './value-test.ts';

const prefixes = ['eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'] as const;
export type Prefix = (typeof prefixes)[number];

/** Splits `ge2026-01-01` into its prefix (`eq` when there is none) and the rest. */
function splitPrefix(text: string): { prefix: Prefix; rest: string } {
  const prefix = prefixes.find((candidate) => text.startsWith(candidate));
  return prefix ? { prefix, rest: text.slice(2) } : { prefix: 'eq', rest: text };
}

const bound = (end: Bound['end'], is: Bound['is'], value: number): Bound => ({ end, is, value });
const all = (...of: RangeTest[]): RangeTest => ({ all: of });
const any = (...of: RangeTest[]): RangeTest => ({ any: of });

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
 * Test of a half-open interval of time. Columns of rows without a date hold `-infinity` in both ends: what would hold for them
 * is asked to have a beginning. The further bounds on `lo` follow from the others and let an index be read in part.
 */
export function dateTest(code: string, value: string, nowMs: number): RangeTest {
  const { prefix, rest } = splitPrefix(value);
  const exact = parseDate(code, rest);
  const { lo: from, hi: to } = prefix === 'ap' ? approximate(exact, nowMs) : exact;
  const dated = bound('lo', '>', Number.NEGATIVE_INFINITY);
  switch (prefix) {
    case 'eq':
      return all(bound('lo', '>=', from), bound('lo', '<', to), bound('hi', '<=', to));
    case 'ne':
      return all(dated, any(bound('lo', '<', from), bound('hi', '>', to)));
    case 'gt':
      return bound('hi', '>', to);
    case 'lt':
      return all(dated, bound('lo', '<', from));
    case 'ge':
      return any(bound('hi', '>', to), bound('lo', '>=', from));
    case 'le':
      return all(dated, bound('lo', '<', to), any(bound('lo', '<', from), bound('hi', '<=', to)));
    case 'sa':
      return bound('lo', '>=', to);
    case 'eb':
      return all(dated, bound('lo', '<', from), bound('hi', '<=', from));
    case 'ap':
      return all(bound('lo', '<', to), bound('hi', '>', from));
  }
}

/** Test of `_lastUpdated`, an instant of whole milliseconds: only `lo` is asked. */
export function instantTest(code: string, value: string, nowMs: number): RangeTest {
  const { prefix, rest } = splitPrefix(value);
  const exact = parseDate(code, rest);
  const { lo, hi } = prefix === 'ap' ? approximate(exact, nowMs) : exact;
  const within = all(bound('lo', '>=', lo), bound('lo', '<', hi));
  switch (prefix) {
    case 'eq':
    case 'ap':
      return within;
    case 'ne':
      return { not: within };
    case 'gt':
    case 'sa':
      return bound('lo', '>=', hi);
    case 'ge':
      return bound('lo', '>=', lo);
    case 'lt':
    case 'eb':
      return bound('lo', '<', lo);
    case 'le':
      return bound('lo', '<', hi);
  }
}

/**
 * Test of a number or range of numbers. `convert` brings a number of the search into the unit that is stored; precision and
 * approximation are those of the number as it was written.
 */
export function numberTest(code: string, value: string, convert: (written: number) => number = (x) => x): RangeTest {
  const { prefix, rest } = splitPrefix(value);
  const number = parseNumber(rest);
  if (!number) throw invalid(`${code}=${rest.slice(0, 60)} is not a number`);
  const { value: written, range } = number;
  const point = convert(written);
  const within = all(bound('lo', '>=', convert(range.lo)), bound('hi', '<', convert(range.hi)));
  switch (prefix) {
    case 'eq':
      return within;
    case 'ne':
      return { not: within };
    case 'gt':
      return bound('hi', '>', point);
    case 'lt':
      return bound('lo', '<', point);
    case 'ge':
      return bound('hi', '>=', point);
    case 'le':
      return bound('lo', '<=', point);
    case 'sa':
      return bound('lo', '>', point);
    case 'eb':
      return bound('hi', '<', point);
    case 'ap': {
      const margin = Math.max(Math.abs(written) * 0.1, written - range.lo);
      return all(bound('lo', '<=', convert(written + margin)), bound('hi', '>=', convert(written - margin)));
    }
  }
}

/** Whether an interval passes. */
export function passes(test: RangeTest, lo: number, hi: number): boolean {
  if ('all' in test) return test.all.every((part) => passes(part, lo, hi));
  if ('any' in test) return test.any.some((part) => passes(part, lo, hi));
  if ('not' in test) return !passes(test.not, lo, hi);
  const number = test.end === 'lo' ? lo : hi;
  switch (test.is) {
    case '<':
      return number < test.value;
    case '<=':
      return number <= test.value;
    case '>':
      return number > test.value;
    case '>=':
      return number >= test.value;
  }
}
