/** Comparison of single elements with values, written from https://hl7.org/fhir/R4/search.html alone. */
import type { Prefix } from './condition.ts';

export interface Span {
  lo: number;
  /** Exclusive for dates. */
  hi: number;
}

/** A date, dateTime or instant as the time it covers, without a zone in UTC. */
export function dateSpan(text: string): Span | undefined {
  const match = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const start = new Date(0);
  start.setUTCFullYear(Number(year), month ? Number(month) - 1 : 0, day ? Number(day) : 1);
  const end = new Date(start);
  if (hour) {
    const offset = zone && zone !== 'Z' ? Date.parse(`1970-01-01T00:00:00${zone}`) : 0;
    const ms = fraction ? Math.floor(Number(fraction) * 1000 + 1e-6) : 0;
    const lo = start.getTime() + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second ?? 0)) * 1000 + ms + offset;
    return { lo, hi: lo + (fraction ? Math.max(1, 10 ** (4 - fraction.length)) : second ? 1000 : 60_000) };
  }
  if (day) end.setUTCDate(end.getUTCDate() + 1);
  else if (month) end.setUTCMonth(end.getUTCMonth() + 1);
  else end.setUTCFullYear(end.getUTCFullYear() + 1);
  return { lo: start.getTime(), hi: end.getTime() };
}

/** The time a date element covers: a Period is open where it has no end, of a Timing the outer limits count. */
export function elementSpan(value: unknown): Span | undefined {
  if (typeof value === 'string') return dateSpan(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const { start, end, event, repeat } = value as Record<string, unknown>;
  if (event !== undefined || repeat !== undefined) {
    const bounds = (repeat as { boundsPeriod?: unknown } | undefined)?.boundsPeriod;
    const spans = [...((event as unknown[] | undefined) ?? []), ...(bounds ? [bounds] : [])].flatMap(
      (part) => elementSpan(part) ?? [],
    );
    if (spans.length === 0) return undefined;
    return { lo: Math.min(...spans.map(({ lo }) => lo)), hi: Math.max(...spans.map(({ hi }) => hi)) };
  }
  const first = typeof start === 'string' ? dateSpan(start) : undefined;
  const last = typeof end === 'string' ? dateSpan(end) : undefined;
  if (!first && !last) return undefined;
  return { lo: first?.lo ?? firstMoment, hi: last?.hi ?? Number.POSITIVE_INFINITY };
}

/** There is no date before: what begins openly begins no earlier. */
const firstMoment = Date.parse('0001-01-01T00:00:00Z');

/** The table of prefixes, for dates. */
export function dateMatches(prefix: Prefix, target: Span, text: string, nowMs: number): boolean {
  const value = dateSpan(text)!;
  const contains = value.lo <= target.lo && target.hi <= value.hi;
  switch (prefix) {
    case 'eq':
      return contains;
    case 'ne':
      return !contains;
    case 'gt':
      return target.hi > value.hi;
    case 'lt':
      return target.lo < value.lo;
    case 'ge':
      return target.hi > value.hi || contains;
    case 'le':
      return target.lo < value.lo || contains;
    case 'sa':
      return target.lo >= value.hi;
    case 'eb':
      return target.hi <= value.lo;
    case 'ap': {
      const around = (ms: number) => Math.abs(nowMs - ms) * 0.1;
      return target.lo < value.hi + around(value.hi) && target.hi > value.lo - around(value.lo);
    }
  }
}

/** Half of the last digit a number is written with. */
export function halfStep(text: string): number {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const decimals = mantissa.includes('.') ? mantissa.length - mantissa.indexOf('.') - 1 : 0;
  return 0.5 * 10 ** (Number(exponent) - decimals);
}

/** The table of prefixes, for numbers; `scale` brings the value into the unit of the target. */
export function numberMatches(prefix: Prefix, target: Span, text: string, scale: (value: number) => number): boolean {
  const written = Number(text);
  const value = scale(written);
  const step = halfStep(text);
  const contains = target.lo >= scale(written - step) && target.hi < scale(written + step);
  switch (prefix) {
    case 'eq':
      return contains;
    case 'ne':
      return !contains;
    case 'gt':
      return target.hi > value;
    case 'lt':
      return target.lo < value;
    case 'ge':
      return target.hi >= value;
    case 'le':
      return target.lo <= value;
    case 'sa':
      return target.lo > value;
    case 'eb':
      return target.hi < value;
    case 'ap': {
      const margin = Math.max(Math.abs(written) * 0.1, step);
      return target.lo <= scale(written + margin) && target.hi >= scale(written - margin);
    }
  }
}

/** Without case, accents, punctuation and surplus blanks. */
export function folded(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[\p{M}\p{Cf}]+/gu, '');
  const words = plain
    .replaceAll('œ', 'oe')
    .replaceAll('æ', 'ae')
    .replaceAll('ß', 'ss')
    .replaceAll('ł', 'l')
    .split(/[\s\p{P}\p{C}`ʻʼ]+/u);
  // Only so much of a long text is kept for its order.
  return words
    .filter((word) => word !== '')
    .join(' ')
    .slice(0, 200)
    .trimEnd();
}
