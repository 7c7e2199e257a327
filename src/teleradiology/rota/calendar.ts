/**
 * Months and shifts where the establishment is (CM-2): a night of the end of October lasts an hour more than the clocks on the wall say,
 * one of the end of March an hour less. Pure.
 */
import { Temporal } from 'temporal-polyfill';

/** From `start`, up to and without `end`. */
export interface Stretch {
  start: Date;
  end: Date;
}

export interface Month extends Stretch {
  /** `YYYY-MM` */
  name: string;
}

const yearMonth = /^\d{4}-(0[1-9]|1[0-2])$/;

/** Undefined when the text is no month. */
export function monthNamed(name: string, timeZone: string): Month | undefined {
  if (!yearMonth.test(name)) return undefined;
  const first = Temporal.PlainYearMonth.from(name).toPlainDate({ day: 1 });
  return { name, start: midnight(first, timeZone), end: midnight(first.add({ months: 1 }), timeZone) };
}

export function monthOf(instant: Date, timeZone: string): Month {
  const name = local(instant, timeZone).toPlainDate().toPlainYearMonth().toString();
  const month = monthNamed(name, timeZone);
  if (month === undefined) throw new Error(`not a month: ${name}`);
  return month;
}

export function monthAfter(month: Month, timeZone: string): Month {
  return monthOf(month.end, timeZone);
}

/** Days the contract asks between a publication or a change and what it is about. */
const noticeDays = 7;

/** Last instant at which something that begins at `start` can be told with the contract's notice: as many days before, same local time. */
export function latestNotice(start: Date, timeZone: string): Date {
  return new Date(local(start, timeZone).subtract({ days: noticeDays }).epochMilliseconds);
}

/** Whether something told at `told` leaves less than the contract's notice before `start`. */
export function isShortNotice(told: Date, start: Date, timeZone: string): boolean {
  return told > latestNotice(start, timeZone);
}

/**
 * A shift by what the clock on the wall shows: `to` not after `from` is the next day's.
 * @param day `YYYY-MM-DD`. @param from `HH:MM`. @param to `HH:MM`, `24:00` for midnight.
 */
export function shiftOn(day: string, from: string, to: string, timeZone: string): Stretch {
  const date = Temporal.PlainDate.from(day);
  const last = to === '24:00' || to <= from ? date.add({ days: 1 }) : date;
  return {
    start: at(date, from, timeZone),
    end: at(last, to === '24:00' ? '00:00' : to, timeZone),
  };
}

/** Local day and time of an instant: `2026-10-24`, `20:00`. */
export function localParts(instant: Date, timeZone: string): { day: string; time: string } {
  const zoned = local(instant, timeZone);
  return { day: zoned.toPlainDate().toString(), time: zoned.toPlainTime().toString({ smallestUnit: 'minute' }) };
}

/** `24/10/2026 20:00`, for people. */
export function frenchInstant(instant: Date, timeZone: string): string {
  const { day, time } = localParts(instant, timeZone);
  return `${frenchDay(day)} ${time}`;
}

/** `24/10/2026` */
function frenchDay(day: string): string {
  return day.split('-').reverse().join('/');
}

/** Days of a month in order, `YYYY-MM-DD`. */
export function daysOf(month: Month): string[] {
  const named = Temporal.PlainYearMonth.from(month.name);
  return Array.from({ length: named.daysInMonth }, (_, index) => named.toPlainDate({ day: index + 1 }).toString());
}

function local(instant: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timeZone);
}

function midnight(day: Temporal.PlainDate, timeZone: string): Date {
  return new Date(day.toZonedDateTime(timeZone).epochMilliseconds);
}

function at(day: Temporal.PlainDate, time: string, timeZone: string): Date {
  return new Date(day.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds);
}
