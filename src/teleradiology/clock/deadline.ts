/** The contract's delays (WF-3): urgent and in-patient so many minutes, routine a morning hour, counted from the images. */
import { Temporal } from 'temporal-polyfill';
import { type HolidayCalendar, isHoliday } from './holidays.ts';

/** Code of the sub-extension `rule` of the case's clock. */
export type ClockRule = 'urgent-1h' | 'inpatient-1h' | 'routine-0800';

/** Terms of one establishment. */
export interface DelayTerms {
  /** IANA name, e.g. `Europe/Paris`. */
  timeZone: string;
  urgentMinutes: number;
  inpatientMinutes: number;
  /** Local time of the morning deadline, `HH:MM`. */
  routineTime: string;
  /** A deadline that falls on a public holiday moves to the next day that is none. */
  routineSkipsHolidays: boolean;
  /** Local time at which the contract's day begins, `HH:MM`; earlier transmissions count for the day before. */
  dutyDayStart: string;
  holidays: HolidayCalendar;
}

export const defaultDelays: DelayTerms = {
  timeZone: 'Europe/Paris',
  urgentMinutes: 60,
  inpatientMinutes: 60,
  routineTime: '08:00',
  routineSkipsHolidays: false,
  dutyDayStart: '00:00',
  holidays: 'france',
};

/**
 * Which rule a case is under. An unknown urgency is urgent until somebody triages it.
 * @param priority `ServiceRequest.priority` or `Task.priority`; undefined when nobody said.
 * @param encounterClass PV1-2: E emergency, I in-patient, O out-patient, R recurring, N not applicable.
 */
export function ruleFor(priority: string | undefined, encounterClass: string | undefined): ClockRule {
  if (priority === 'urgent' || priority === 'asap' || priority === 'stat' || encounterClass === 'E') return 'urgent-1h';
  if (encounterClass === 'I') return 'inpatient-1h';
  if (priority === 'routine' || encounterClass === 'O' || encounterClass === 'R') return 'routine-0800';
  return 'urgent-1h';
}

/** Instant at which the report is due for images transmitted at `started`. */
export function deadline(rule: ClockRule, started: Date, terms: DelayTerms): Date {
  if (rule === 'urgent-1h') return new Date(started.getTime() + terms.urgentMinutes * minuteMs);
  if (rule === 'inpatient-1h') return new Date(started.getTime() + terms.inpatientMinutes * minuteMs);
  const local = Temporal.Instant.fromEpochMilliseconds(started.getTime()).toZonedDateTimeISO(terms.timeZone);
  const startOfDuty = Temporal.PlainTime.from(terms.dutyDayStart);
  const early = Temporal.PlainTime.compare(local.toPlainTime(), startOfDuty) < 0;
  let day = local.toPlainDate().add({ days: early ? 0 : 1 });
  while (terms.routineSkipsHolidays && isHoliday(day, terms.holidays)) day = day.add({ days: 1 });
  const due = day.toZonedDateTime({ timeZone: terms.timeZone, plainTime: Temporal.PlainTime.from(terms.routineTime) });
  return new Date(due.epochMilliseconds);
}

/** Fractions of the delay at which somebody is told, in percent. */
export const thresholds = [50, 75, 100] as const;
export type Threshold = (typeof thresholds)[number];

/** Instant at which this part of the delay is over. */
export function thresholdAt(started: Date, due: Date, threshold: Threshold): Date {
  return new Date(started.getTime() + Math.round(((due.getTime() - started.getTime()) * threshold) / 100));
}

const minuteMs = 60_000;
