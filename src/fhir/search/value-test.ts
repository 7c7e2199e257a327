/**
 * What a search asks of one resource, as data: the same tree becomes an SQL condition (conditions.ts) and a predicate in memory
 * (match.ts), so that a subscription and a search cannot disagree.
 */
import type { TextPlace } from './words.ts';

export type ValueTest =
  | { kind: 'all' | 'any'; of: readonly ValueTest[] }
  | { kind: 'not'; of: ValueTest }
  | { kind: 'constant'; value: boolean }
  /** One of these keys (`keyText`) is among the resource's. */
  | { kind: 'keys'; texts: readonly string[] }
  | { kind: 'id'; ids: readonly string[] }
  | { kind: 'updated'; range: RangeTest }
  /** The interval in columns `d<column>_lo` and `d<column>_hi`. */
  | { kind: 'date-column'; column: number; range: RangeTest }
  | { kind: 'date'; param: number; range: RangeTest }
  /** Some number under this unit; `unit` is a text of units.ts, undefined for numbers whatever their unit. */
  | { kind: 'number'; param: number; unit?: string; range: RangeTest }
  /** Some folded string that passes one of the tests. */
  | { kind: 'string'; param: number; tests: readonly StringTest[] }
  /** Some string of a composite after this head. */
  | { kind: 'head-string'; param: number; head: string; starts: string }
  | { kind: 'near'; param: number; near: Circle }
  /** Every pattern is found in the texts at the place. */
  | { kind: 'words'; place: TextPlace; patterns: readonly string[] };

/** A condition on an interval or number: dates in milliseconds since 1970 UTC. */
export type RangeTest = { all: readonly RangeTest[] } | { any: readonly RangeTest[] } | { not: RangeTest } | Bound;

export interface Bound {
  end: 'lo' | 'hi';
  is: '<' | '<=' | '>' | '>=';
  value: number;
}

/** `words`: beginnings of words, all of which must occur. */
export type StringTest = { starts: string } | { contains: string } | { words: readonly string[] };

/** A place on Earth and how far around it, in degrees and metres. */
export interface Circle {
  latitude: number;
  longitude: number;
  metres: number;
}

const never: ValueTest = { kind: 'constant', value: false };

export function anyOf(of: readonly ValueTest[]): ValueTest {
  return of.length === 1 ? of[0]! : { kind: 'any', of };
}

export function not(of: ValueTest): ValueTest {
  return { kind: 'not', of };
}

/** One of these keys; nothing when there are none. */
export function oneKey(texts: readonly string[]): ValueTest {
  return texts.length === 0 ? never : { kind: 'keys', texts: [...new Set(texts)] };
}
