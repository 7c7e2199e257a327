/** HL7 v2 TS ↔ FHIR dates: `YYYY[MM[DD[HH[MM[SS[.S]]]]]][±ZZZZ]`; without an offset the time is the establishment's. */

export interface Timestamp {
  /** FHIR date (precision of the day or less) or dateTime in UTC. */
  dateTime: string;
  /** Instant; the start of the day, month or year when the precision is less. */
  instant: Date;
}

/** A place's civil time. */
export interface TimeZone {
  /** Minutes east of UTC in force at an instant (milliseconds since 1970). */
  offsetMinutes(instant: number): number;
}

/** @param name IANA name, e.g. `Europe/Paris`. @throws RangeError unknown name. */
export function openTimeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: name, timeZoneName: 'longOffset' });
  // Formatting costs 20 µs, several times per message; offsets only ever change on a quarter of an hour.
  const known = new Map<number, number>();
  return {
    offsetMinutes(instant) {
      const quarter = Math.floor(instant / quarterMs);
      const remembered = known.get(quarter);
      if (remembered !== undefined) return remembered;
      const parts = format.formatToParts(instant);
      const match = /([+-])(\d{2}):(\d{2})/.exec(parts.find((part) => part.type === 'timeZoneName')?.value ?? '');
      const offset = match ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : 0;
      if (known.size >= maximumKnown) known.clear();
      known.set(quarter, offset);
      return offset;
    },
  };
}

const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
const maximumKnown = 1_000;
const dayMs = 24 * 60 * minuteMs;
const pattern = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(\d{2})?(?:(\d{2})(?:\.\d{1,4})?)?)?)?)?([+-]\d{4})?$/;

/** @returns undefined when the value is not a time that exists in the calendar. */
export function parseTimestamp(value: string, zone: TimeZone): Timestamp | undefined {
  const match = pattern.exec(value);
  if (!match) return undefined;
  const [, year, month = '01', day = '01', hour, minute = '00', second = '00', offset] = match;
  const wall = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour ?? 0),
    Number(minute),
    Number(second),
  );
  const check = new Date(wall);
  if (check.getUTCMonth() + 1 !== Number(month) || check.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour ?? 0) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const offsetMinutes = offset === undefined ? zoneOffsetMinutes(wall, zone) : fixedOffsetMinutes(offset);
  if (offsetMinutes === undefined) return undefined;
  const instant = new Date(wall - offsetMinutes * minuteMs);
  if (hour !== undefined) return { dateTime: instant.toISOString().replace('.000Z', 'Z'), instant };
  const precision = match[3] ? `${year}-${month}-${day}` : match[2] ? `${year}-${month}` : `${year}`;
  return { dateTime: precision, instant };
}

/** `YYYYMMDDHHMMSS+ZZZZ` of an instant in a time zone. */
export function formatTimestamp(instant: Date, zone: TimeZone): string {
  const seconds = Math.floor(instant.getTime() / 1000) * 1000;
  const offset = zone.offsetMinutes(seconds);
  const digits = new Date(seconds + offset * minuteMs).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  const sign = offset < 0 ? '-' : '+';
  const absolute = Math.abs(offset);
  return `${digits}${sign}${pad(Math.floor(absolute / 60))}${pad(absolute % 60)}`;
}

/** `YYYYMMDD` of a FHIR date, `YYYYMM` or `YYYY` when it is partial. */
export function formatDate(date: string): string {
  return date.slice(0, 10).replaceAll('-', '');
}

/**
 * Offset of a wall-clock time: the one in force just before it, corrected once. In the hour that summer time skips, the time is
 * read as if the clocks had not moved yet; in the hour that winter time repeats, as the first of the two.
 */
function zoneOffsetMinutes(wall: number, zone: TimeZone): number {
  const before = zone.offsetMinutes(wall - dayMs);
  const after = zone.offsetMinutes(wall + dayMs);
  if (before === after || zone.offsetMinutes(wall - before * minuteMs) === before) return before;
  return zone.offsetMinutes(wall - after * minuteMs) === after ? after : before;
}

function fixedOffsetMinutes(offset: string): number | undefined {
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3, 5));
  if (hours > 14 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
