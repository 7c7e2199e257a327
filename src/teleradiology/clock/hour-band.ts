/** The bands of hours by which contracts and activity reports tell delays apart (A 8.1.1.3): every instant lies in exactly one. */
import { Temporal } from 'temporal-polyfill';
import { type HolidayCalendar, isHoliday } from './holidays.ts';

/** Where an establishment counts its hours. */
export interface LocalCalendar {
  /** IANA name, e.g. `Europe/Paris`. */
  timeZone: string;
  holidays: HolidayCalendar;
  /** ISO dates that its contract treats as holidays beside those of the calendar. */
  alsoHolidays?: readonly string[];
}

/** `day`: 08:00 to 18:00 of a weekday; `night`: its other hours; `weekend` and `holiday`: the whole day, a holiday first. */
export const hourBands = ['day', 'night', 'weekend', 'holiday'] as const;
export type HourBand = (typeof hourBands)[number];

const dayBeginsAt = 8;
const dayEndsAt = 18;
const saturday = 6;

export function hourBandOf(instant: Date, { timeZone, holidays, alsoHolidays }: LocalCalendar): HourBand {
  const local = Temporal.Instant.fromEpochMilliseconds(instant.getTime()).toZonedDateTimeISO(timeZone);
  if (isHoliday(local.toPlainDate(), holidays, alsoHolidays)) return 'holiday';
  if (local.dayOfWeek >= saturday) return 'weekend';
  return local.hour >= dayBeginsAt && local.hour < dayEndsAt ? 'day' : 'night';
}
