/** Hours somebody must be on duty, and those when nobody is (CM-2). Pure. */
import type { HealthcareService, HealthcareServiceAvailableTime } from '@medplum/fhirtypes';
import { Temporal } from 'temporal-polyfill';
import { type HolidayCalendar, isHoliday } from '../clock/index.ts';
import { daysOf, type Month, type Stretch, shiftOn } from './calendar.ts';

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/**
 * What the establishment's service promises in a month: `HealthcareService.availableTime`, whose closing time may be the next
 * morning's; around the clock when it says nothing. A public holiday is served as a Sunday.
 */
export function hoursPromised(
  service: Pick<HealthcareService, 'availableTime'> | undefined,
  month: Month,
  timeZone: string,
  calendar: HolidayCalendar,
): Stretch[] {
  const times = service?.availableTime ?? [];
  if (times.length === 0) return [{ start: month.start, end: month.end }];
  // The night that begins on the last day of the month before ends in this one.
  const before = Temporal.PlainYearMonth.from(month.name).toPlainDate({ day: 1 }).subtract({ days: 1 }).toString();
  const promised = [before, ...daysOf(month)].flatMap((day) => {
    const date = Temporal.PlainDate.from(day);
    const weekday = isHoliday(date, calendar) ? 'sun' : weekdays[date.dayOfWeek - 1];
    return times.filter(({ daysOfWeek }) => isOn(daysOfWeek, weekday)).map((time) => stretchOf(time, day, timeZone));
  });
  return merged(promised).flatMap((each) => within(each, month));
}

const isOn = (days: HealthcareServiceAvailableTime['daysOfWeek'], weekday: string | undefined): boolean =>
  days === undefined || days.length === 0 || days.some((day) => day === weekday);

function stretchOf(time: HealthcareServiceAvailableTime, day: string, timeZone: string): Stretch {
  const { allDay, availableStartTime = '00:00', availableEndTime = '24:00' } = time;
  return allDay === true
    ? shiftOn(day, '00:00', '24:00', timeZone)
    : shiftOn(day, availableStartTime.slice(0, 5), availableEndTime.slice(0, 5), timeZone);
}

/** Joined where they touch or overlap, in order. */
export function merged(stretches: readonly Stretch[]): Stretch[] {
  const result: Stretch[] = [];
  for (const each of [...stretches].sort((a, b) => a.start.getTime() - b.start.getTime())) {
    const last = result.at(-1);
    if (last === undefined || each.start > last.end) result.push({ start: each.start, end: each.end });
    else if (each.end > last.end) last.end = each.end;
  }
  return result;
}

/** What of `needed` none of `covered` covers, in order. */
export function gapsIn(needed: readonly Stretch[], covered: readonly Stretch[]): Stretch[] {
  const cover = merged(covered);
  return merged(needed).flatMap((need) => {
    const gaps: Stretch[] = [];
    let from = need.start;
    for (const { start, end } of cover) {
      if (end <= from || start >= need.end) continue;
      if (start > from) gaps.push({ start: from, end: start });
      from = end;
    }
    return from < need.end ? [...gaps, { start: from, end: need.end }] : gaps;
  });
}

function within(stretch: Stretch, limits: Stretch): Stretch[] {
  const start = stretch.start > limits.start ? stretch.start : limits.start;
  const end = stretch.end < limits.end ? stretch.end : limits.end;
  return start < end ? [{ start, end }] : [];
}
