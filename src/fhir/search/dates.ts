/** Dates of FHIR as half-open intervals of time (https://hl7.org/fhir/R4/search.html#date). */

/** From `lo` inclusive to `hi` exclusive, in milliseconds since 1970 UTC. */
export interface Interval {
  lo: number;
  hi: number;
}

/** Stand for an open start and end of a Period; both inside what PostgreSQL and ISO 8601 can write. */
export const openStartMs = -62_135_596_800_000;
export const openEndMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const datePattern =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

const minuteMs = 60_000;

/**
 * The interval a date, dateTime or instant covers at the precision it is written with: `2026-03` is the whole month. Without a
 * time zone it is read as UTC (what a server stores). Undefined when it is not a date.
 */
export function dateInterval(text: string): Interval | undefined {
  const match = datePattern.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const y = Number(year);
  const m = month === undefined ? 0 : Number(month) - 1;
  const d = day === undefined ? 1 : Number(day);
  if (y === 0 || m < 0 || m > 11 || d < 1 || d > daysIn(y, m)) return undefined;
  if (hour === undefined) {
    const lo = utc(y, m, d);
    if (day !== undefined) return { lo, hi: utc(y, m, d + 1) };
    return { lo, hi: month === undefined ? utc(y + 1, 0, 1) : utc(y, m + 1, 1) };
  }
  const h = Number(hour);
  const min = Number(minute);
  const s = second === undefined ? 0 : Number(second);
  // 60 is a leap second; 24:00 is not allowed.
  if (h > 23 || min > 59 || s > 60) return undefined;
  const ms = fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
  const offset = zoneMs(zone);
  if (offset === undefined) return undefined;
  const lo = utc(y, m, d) + h * 3_600_000 + min * minuteMs + s * 1000 + ms - offset;
  const length =
    fraction !== undefined ? 10 ** Math.max(0, 3 - fraction.length) : second !== undefined ? 1000 : minuteMs;
  return { lo, hi: lo + length };
}

function zoneMs(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 14 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * minuteMs;
}

/** `Date.UTC` takes years below 100 for the twentieth century. */
function utc(year: number, month: number, day: number): number {
  if (year > 99) return Date.UTC(year, month, day);
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.getTime();
}

function daysIn(year: number, month: number): number {
  return new Date(utc(year, month + 1, 1) - 86_400_000).getUTCDate();
}

/** The interval of a date element: date, dateTime, instant, Period or Timing. Undefined when it says nothing. */
export function elementInterval(value: unknown): Interval | undefined {
  if (typeof value === 'string') return dateInterval(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const element = value as Record<string, unknown>;
  if ('event' in element || 'repeat' in element) return timingInterval(element);
  return periodInterval(element);
}

function periodInterval({ start, end }: Record<string, unknown>): Interval | undefined {
  const first = typeof start === 'string' ? dateInterval(start) : undefined;
  const last = typeof end === 'string' ? dateInterval(end) : undefined;
  if (!first && !last) return undefined;
  return { lo: first?.lo ?? openStartMs, hi: last?.hi ?? openEndMs };
}

/** Only the outer limits of a Timing count. */
function timingInterval({ event, repeat }: Record<string, unknown>): Interval | undefined {
  const parts: Interval[] = [];
  for (const instant of Array.isArray(event) ? event : []) {
    const interval = typeof instant === 'string' ? dateInterval(instant) : undefined;
    if (interval) parts.push(interval);
  }
  const bounds = (repeat as { boundsPeriod?: Record<string, unknown> } | undefined)?.boundsPeriod;
  const period = bounds && periodInterval(bounds);
  if (period) parts.push(period);
  if (parts.length === 0) return undefined;
  return { lo: Math.min(...parts.map((part) => part.lo)), hi: Math.max(...parts.map((part) => part.hi)) };
}
