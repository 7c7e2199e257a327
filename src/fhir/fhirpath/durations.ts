/** Dates and times moved by a duration (http://hl7.org/fhirpath/N1/#datetime-arithmetic). */
import { ucumSystem } from '../search/ucum.ts';
import { dateOf, dayNumber, daysOf, formatTime, parseTime, type Time } from './times.ts';
import { isObject } from './values.ts';

/** Units of the calendar with the code UCUM has for what lasts as long. */
const calendarCodes: Readonly<Record<string, string>> = {
  year: 'a',
  month: 'mo',
  week: 'wk',
  day: 'd',
  hour: 'h',
  minute: 'min',
  second: 's',
  millisecond: 'ms',
};
const dayMs = 86_400_000;
const unitsByCode = new Map(Object.entries(calendarCodes).map(([unit, code]) => [code, unit]));

/** `years` → `year`; undefined for a word that is no unit of the calendar. */
export function calendarUnit(word: string): string | undefined {
  const unit = word.endsWith('s') ? word.slice(0, -1) : word;
  return Object.hasOwn(calendarCodes, unit) ? unit : undefined;
}

/** A duration of the calendar as the Quantity it is. @param unit as `calendarUnit` answers it. */
export function calendarQuantity(value: number, unit: string): Record<string, unknown> {
  return { value, unit, system: ucumSystem, code: calendarCodes[unit] };
}

/**
 * Whether a literal of UCUM is a duration no date can be moved by: a year of 365.25 days and its twelfth. In the content of resources
 * these codes mean years and months of the calendar (https://hl7.org/fhir/R4/fhirpath.html#quantity).
 */
export function isMeanDuration(code: string): boolean {
  return code === 'a' || code === 'mo';
}

/** In the order of the parts of a date. */
const steps = ['year', 'month', 'day', 'hour', 'minute', 'second'] as const;
const seconds: Readonly<Record<string, number>> = {
  year: 365 * 86_400,
  month: 30 * 86_400,
  day: 86_400,
  hour: 3_600,
  minute: 60,
  second: 1,
};

/**
 * @param text date, dateTime or time. @param sign 1 or -1.
 * @returns undefined for what is none, for a quantity that is no duration, and beyond the years 1 to 9999.
 */
export function movedTime(text: string, quantity: unknown, sign: 1 | -1): string | undefined {
  const time = parseTime(text);
  const duration = durationOf(quantity);
  if (!time || !duration) return undefined;
  const by = asPreciseAs(time, { ...duration, amount: duration.amount * sign });
  const moved = time.isTime ? movedClock(time, by) : movedDate(time, by);
  return moved && formatTime(moved);
}

interface Amount {
  amount: number;
  unit: (typeof steps)[number];
}

function durationOf(quantity: unknown): Amount | undefined {
  if (!isObject(quantity) || typeof quantity.value !== 'number') return undefined;
  const { value, system, code, unit } = quantity;
  const named = system === ucumSystem && typeof code === 'string' ? code : typeof unit === 'string' ? unit : '';
  const known = unitsByCode.get(named) ?? calendarUnit(named);
  if (known === undefined) return undefined;
  if (known === 'week') return { amount: Math.trunc(value * 7), unit: 'day' };
  if (known === 'millisecond') return { amount: value / 1_000, unit: 'second' };
  // Parts of a second count, of nothing larger.
  return { amount: known === 'second' ? value : Math.trunc(value), unit: known as Amount['unit'] };
}

/** A duration finer than what it is added to counts by its whole years, months, … only: 2014 + 24 months is 2016. */
function asPreciseAs({ parts, isTime }: Time, { amount, unit }: Amount): Amount {
  const known = parts.length + (isTime ? 3 : 0);
  const finest = steps[known - 1]!;
  if (steps.indexOf(unit) < known) return { amount, unit };
  if (unit === 'month') return { amount: Math.trunc(amount / 12), unit: finest };
  return { amount: Math.trunc((amount * seconds[unit]!) / seconds[finest]!), unit: finest };
}

/** Within the day: what goes beyond it comes round again. */
function movedClock(time: Time, { amount, unit }: Amount): Time | undefined {
  if (unit === 'year' || unit === 'month' || unit === 'day') return undefined;
  const { clock, fraction } = clockMoved(time, Math.round(amount * seconds[unit]! * 1_000));
  return { ...time, parts: clock.slice(0, time.parts.length), fraction };
}

function movedDate(time: Time, { amount, unit }: Amount): Time | undefined {
  const [year, month, day] = time.parts;
  const precision = time.parts.length;
  if (unit === 'year' || unit === 'month') {
    const months = year! * 12 + (month ?? 1) - 1 + amount * (unit === 'year' ? 12 : 1);
    const [toYear, toMonth] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
    if (!isYear(toYear)) return undefined;
    // The last of the month where the day is none of it.
    const date = [toYear, toMonth, Math.min(day ?? 1, daysOf(toYear, toMonth))];
    return { ...time, parts: [...date, ...time.parts.slice(3)].slice(0, precision) };
  }
  const { days, clock, fraction } = clockMoved(time, Math.round(amount * seconds[unit]! * 1_000));
  const date = dateOf(dayNumber(time.parts) + days);
  if (!isYear(date[0])) return undefined;
  return { ...time, parts: [...date, ...clock].slice(0, precision), fraction };
}

function isYear(year: number): boolean {
  return year >= 1 && year <= 9999;
}

/** The clock of a time some milliseconds later, and how many days that is. Digits beyond the millisecond stay as they are. */
function clockMoved(
  { parts, fraction, isTime }: Time,
  ms: number,
): { days: number; clock: number[]; fraction: string } {
  const [hours = 0, minutes = 0, whole = 0] = isTime ? parts : parts.slice(3);
  const now = ((hours * 60 + minutes) * 60 + whole) * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
  const later = now + ms;
  const days = Math.floor(later / dayMs);
  const rest = later - days * dayMs;
  const inSecond = String(rest % 1_000).padStart(3, '0');
  const isWhole = ms % 1_000 === 0;
  return {
    days,
    clock: [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60, Math.floor(rest / 1_000) % 60],
    fraction: isWhole ? fraction : inSecond + fraction.slice(3),
  };
}
