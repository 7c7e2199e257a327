/** A delay of the contract (WF-3): so many minutes of real time, or a morning hour of the establishment's next day. */
import { Temporal } from 'temporal-polyfill';
import { isHoliday } from './holidays.ts';
import type { LocalCalendar } from './hour-band.ts';

export type Delay =
  /** Real time: a night in which the hour changes makes no difference. */
  | { minutes: number }
  | {
      /** Local time of the deadline, `HH:MM`, on the calendar day after. */
      morning: string;
      /** Local time at which the contract's day begins, `HH:MM`; what starts earlier counts for the day before. */
      dutyDayStart: string;
      /** A deadline that falls on a holiday moves to the next day that is none. */
      skipsHolidays: boolean;
    };

const minuteMs = 60_000;

/** Instant at which a delay that starts at `started` is over. */
export function dueAt(delay: Delay, started: Date, calendar: LocalCalendar): Date {
  if ('minutes' in delay) return new Date(started.getTime() + delay.minutes * minuteMs);
  const { timeZone, holidays, alsoHolidays } = calendar;
  const local = Temporal.Instant.fromEpochMilliseconds(started.getTime()).toZonedDateTimeISO(timeZone);
  const early = Temporal.PlainTime.compare(local.toPlainTime(), Temporal.PlainTime.from(delay.dutyDayStart)) < 0;
  const hour = Temporal.PlainTime.from(delay.morning);
  let day = local.toPlainDate().add({ days: early ? 0 : 1 });
  for (;;) {
    const due = new Date(day.toZonedDateTime({ timeZone, plainTime: hour }).epochMilliseconds);
    // A duty day that begins after the morning hour would put the deadline before its start.
    if (due > started && !(delay.skipsHolidays && isHoliday(day, holidays, alsoHolidays))) return due;
    day = day.add({ days: 1 });
  }
}

/** A delay as people say it, e.g. `60 min`, `12 h`, `le lendemain à 08:00`. */
export function delayText(delay: Delay): string {
  if ('morning' in delay) return `le lendemain à ${delay.morning}${delay.skipsHolidays ? ', hors jours fériés' : ''}`;
  const { minutes } = delay;
  if (minutes > 48 * 60 && minutes % (24 * 60) === 0) return `${minutes / (24 * 60)} jours`;
  return minutes > 60 && minutes % 60 === 0 ? `${minutes / 60} h` : `${minutes} min`;
}
