/** Numbers and quantities with the precision they are written with (https://hl7.org/fhir/R4/search.html#number). */

import { type ComparedUnit, literalUnit, type Units } from './units.ts';

/** From `lo` inclusive to `hi`; a point when both are the same. */
export interface NumberRange {
  lo: number;
  hi: number;
}

const numberPattern = /^([+-]?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * A number as search parameters write it, with the half-open range its digits imply: 100 is [99.5, 100.5), 1.00e2 the same. The ends
 * are computed in decimal: 5.4 begins at 5.35, not at the double above it.
 */
export function parseNumber(text: string): { value: number; range: NumberRange } | undefined {
  const match = numberPattern.exec(text);
  const value = Number(text);
  if (!match || !Number.isFinite(value)) return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`) * 10n;
  const power = Number(exponent) - fraction.length - 1;
  return { value, range: { lo: Number(`${digits - 5n}e${power}`), hi: Number(`${digits + 5n}e${power}`) } };
}

/** Value of a JSON number, also when it was kept as written (`JSON.rawJSON`). */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'object' && value !== null && 'rawJSON' in value && typeof value.rawJSON === 'string') {
    const number = Number(value.rawJSON);
    return Number.isFinite(number) ? number : undefined;
  }
  return undefined;
}

/** A number, or a range of them, in one of the units it can be asked for in. */
export interface Measure extends NumberRange {
  /** A text of units.ts; undefined for the number whatever its unit. */
  unit?: string;
}

/** Currency of Money as quantity searches name it. */
const currencySystem = 'urn:iso:std:iso:4217';

/** The measures of a quantity element: Quantity (Age, Duration…), Money, Range or SampledData; nothing when it has no number. */
export function elementMeasures(value: unknown, units: Units): Measure[] {
  const plain = numberOf(value);
  if (plain !== undefined) return [{ lo: plain, hi: plain }];
  if (typeof value !== 'object' || value === null) return [];
  const element = value as Record<string, unknown>;
  if ('low' in element || 'high' in element) return rangeMeasures(element, units);
  if ('origin' in element) return sampledMeasures(element, units);
  return measuresIn(element, comparedRange(element), units);
}

/** The values a Quantity stands for: `<5` is everything below. */
function comparedRange({ value, comparator }: Record<string, unknown>): NumberRange | undefined {
  const number = numberOf(value);
  if (number === undefined) return undefined;
  switch (comparator) {
    case '<':
      return { lo: Number.NEGATIVE_INFINITY, hi: nextBelow(number) };
    case '<=':
      return { lo: Number.NEGATIVE_INFINITY, hi: number };
    case '>=':
      return { lo: number, hi: Number.POSITIVE_INFINITY };
    case '>':
      return { lo: -nextBelow(-number), hi: Number.POSITIVE_INFINITY };
    default:
      return { lo: number, hi: number };
  }
}

/** Largest number that is clearly less: a step that survives the rounding of converted units. */
function nextBelow(number: number): number {
  return number - Math.max(Math.abs(number) * 1e-11, Number.MIN_VALUE);
}

function rangeMeasures({ low, high }: Record<string, unknown>, units: Units): Measure[] {
  const first = low as Record<string, unknown> | undefined;
  const last = high as Record<string, unknown> | undefined;
  const lows = first ? measuresIn(first, comparedRange(first), units) : undefined;
  const highs = last ? measuresIn(last, comparedRange(last), units) : undefined;
  if (!lows || !highs) {
    const open = { lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
    return [
      ...(lows ?? []).map((measure) => ({ ...measure, hi: open.hi })),
      ...(highs ?? []).map((measure) => ({ ...measure, lo: open.lo })),
    ];
  }
  // Both ends in units that compare: each as it can be asked for.
  return lows.flatMap((measure) => {
    const end = highs.find(({ unit }) => unit === measure.unit);
    return end ? [{ ...measure, hi: end.hi }] : [];
  });
}

/** Least and greatest of the samples, or their origin when there are none. */
function sampledMeasures(
  { origin, factor, data, lowerLimit, upperLimit }: Record<string, unknown>,
  units: Units,
): Measure[] {
  if (typeof origin !== 'object' || origin === null) return [];
  const zero = numberOf((origin as Record<string, unknown>).value);
  if (zero === undefined) return [];
  const scale = numberOf(factor) ?? 1;
  const marks = new Map([
    ['L', numberOf(lowerLimit)],
    ['U', numberOf(upperLimit)],
  ]);
  let range: NumberRange | undefined;
  for (const text of typeof data === 'string' ? data.split(' ') : []) {
    const sample = marks.get(text) ?? (text === '' ? Number.NaN : Number(text));
    const number = zero + sample * scale;
    if (!Number.isFinite(number)) continue;
    range = range ? { lo: Math.min(range.lo, number), hi: Math.max(range.hi, number) } : { lo: number, hi: number };
  }
  return measuresIn(origin as Record<string, unknown>, range ?? { lo: zero, hi: zero }, units);
}

/** A range as it can be asked for: by itself, by system and code, by code or unit alone. */
function measuresIn(
  { system, code, unit, currency }: Record<string, unknown>,
  range: NumberRange | undefined,
  units: Units,
): Measure[] {
  if (!range) return [];
  const measures: Measure[] = [range];
  const add = ({ text, convert }: ComparedUnit) =>
    measures.push({ lo: convert(range.lo), hi: convert(range.hi), unit: text });
  const literal = (text: string) => measures.push({ ...range, unit: literalUnit(text) });
  if (typeof currency === 'string') {
    add(units.compared(currencySystem, currency));
    literal(currency);
  }
  if (typeof code === 'string') {
    if (typeof system === 'string') add(units.compared(system, code));
    literal(code);
  }
  if (typeof unit === 'string' && unit !== code) literal(unit);
  return measures;
}
