/**
 * Dates, dateTimes and times as precise as they are written: `2024`, `2024-03`, `2024-03-01T10:30+01:00`, `10:30`
 * (http://hl7.org/fhirpath/N1/#datetime-1, http://hl7.org/fhirpath/N1/#comparison).
 */

/** Types of what is compared and moved as time. */
export const timeTypes: ReadonlySet<string> = new Set(['date', 'dateTime', 'instant', 'time']);

/** Parts that are written, coarsest first: year, month, day, hour, minute, second; of a time from the hour on. */
export interface Time {
  parts: readonly number[];
  /** Digits of the fraction of a second, as written. */
  fraction: string;
  /** `Z` or an offset; undefined where none is written. */
  zone: string | undefined;
  /** A time of day, without a date. */
  isTime: boolean;
}

const hour = 3;
const minutesOfDay = 24 * 60;
/** No place on earth is further ahead of another. */
const widestZoneMs = 14 * 3_600_000;

const timePattern =
  /^(?:(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?)?(?:T?(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?)?(Z|[+-]\d{2}:\d{2})?$/;

/** Places of the pattern. */
const fractionPart = 7;
const zonePart = 8;

/** @returns undefined for a text that is none, days that no month has included. */
export function parseTime(text: string): Time | undefined {
  const match = timePattern.exec(text);
  if (!match) return undefined;
  const isTime = match[1] === undefined;
  const written = match.slice(isTime ? 4 : 1, 7).filter((part) => part !== undefined);
  const parts = written.map(Number);
  const isDateAlone = !isTime && parts.length < 3;
  if (parts.length === 0 || (match[4] !== undefined && isDateAlone)) return undefined;
  const [month, day] = [parts[1], parts[2]];
  if (!isTime && month !== undefined && (month < 1 || month > 12)) return undefined;
  if (!isTime && day !== undefined && (day < 1 || day > daysOf(parts[0]!, month!))) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = isTime ? parts : parts.slice(hour);
  if (hours > 24 || minutes > 59 || seconds > 60) return undefined;
  return { parts, fraction: match[fractionPart] ?? '', zone: match[zonePart], isTime };
}

export function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

export function formatTime({ parts, fraction, zone = '', isTime }: Time): string {
  const digits = (part: number, width = 2) => String(part).padStart(width, '0');
  const [year, ...rest] = isTime ? [] : parts.slice(0, hour);
  const date = year === undefined ? '' : [digits(year, 4), ...rest.map((part) => digits(part))].join('-');
  const clock = (isTime ? parts : parts.slice(hour)).map((part) => digits(part)).join(':');
  const seconds = fraction === '' ? '' : `.${fraction}`;
  return `${date}${date !== '' && clock !== '' ? 'T' : ''}${clock}${seconds}${zone}`;
}

/**
 * Compares as far as both are precise: 2024 and 2025-03 can be told apart, 2024 and 2024-03 cannot; nor can times of which one alone says
 * its zone, while a zone could make the difference.
 * @returns negative, 0, positive; undefined when neither can be said.
 */
export function compareTimes(a: string, b: string): number | undefined {
  const written = timePattern.exec(a);
  const other = timePattern.exec(b);
  if (!written || !other) return undefined;
  // Nearly always: every write compares periods.
  if (written[zonePart] === other[zonePart]) return compareWritten(written, other);
  const [left, right] = [parseTime(a), parseTime(b)];
  if (!left || !right || left.isTime !== right.isTime) return undefined;
  if (!hasHours(left) || !hasHours(right)) return compareParts(left, right);
  if (left.zone !== undefined && right.zone !== undefined) return compareParts(inUtc(left), inUtc(right));
  const apart = epochMs(inUtc(left)) - epochMs(inUtc(right));
  return Math.abs(apart) > widestZoneMs ? apart : undefined;
}

function hasHours({ parts, isTime }: Time): boolean {
  return isTime || parts.length > hour;
}

/** Of one zone: part by part, as the pattern finds them. */
function compareWritten(left: RegExpExecArray, right: RegExpExecArray): number | undefined {
  for (let part = 1; part < fractionPart; part++) {
    const [first, second] = [left[part], right[part]];
    if (first === second) continue;
    if (first === undefined || second === undefined) return undefined;
    return Number(first) - Number(second);
  }
  return Number(`0.${left[fractionPart] ?? 0}`) - Number(`0.${right[fractionPart] ?? 0}`);
}

function compareParts(left: Time, right: Time): number | undefined {
  const most = Math.max(left.parts.length, right.parts.length);
  for (let at = 0; at < most; at++) {
    const [first, second] = [left.parts[at], right.parts[at]];
    if (first === undefined || second === undefined) return undefined;
    if (first !== second) return first - second;
  }
  return Number(`0.${left.fraction || 0}`) - Number(`0.${right.fraction || 0}`);
}

/** The same instant as Greenwich would write it, as precisely as it was written; without a zone it stays. */
function inUtc(time: Time): Time {
  const { parts, zone, isTime } = time;
  if (zone === undefined || zone === 'Z') return time;
  const [hours, minutes] = zone.slice(1).split(':').map(Number) as [number, number];
  const ahead = (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
  const from = isTime ? 0 : hour;
  const minuteOfDay = parts[from]! * 60 + (parts[from + 1] ?? 0) - ahead;
  const shifted = ((minuteOfDay % minutesOfDay) + minutesOfDay) % minutesOfDay;
  const clock = [Math.floor(shifted / 60), shifted % 60, ...parts.slice(from + 2)].slice(0, parts.length - from);
  if (isTime) return { ...time, parts: clock };
  const date = dayNumber(parts) + Math.floor(minuteOfDay / minutesOfDay);
  return { ...time, parts: [...dateOf(date), ...clock] };
}

function epochMs({ parts }: Time): number {
  const [hours = 0, minutes = 0, seconds = 0] = parts.slice(hour);
  return ((dayNumber(parts) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000;
}

/** Days since 1970-01-01. */
export function dayNumber([year, month = 1, day = 1]: readonly number[]): number {
  // Date.UTC takes the years before 100 for those of the last century.
  return new Date(0).setUTCFullYear(year!, month - 1, day) / 86_400_000;
}

/** Year, month and day. */
export function dateOf(days: number): [number, number, number] {
  const date = new Date(days * 86_400_000);
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
}
