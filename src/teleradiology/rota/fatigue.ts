/**
 * Rest of people on duty (Code du travail L3131-1: 11 hours a day; directive 2003/88/EC article 6: 48 hours a week on average; 24 hours
 * on end at most). Warnings, never refusals: who plans may have reasons that we do not see. Pure.
 */
import { Temporal } from 'temporal-polyfill';
import type { Stretch } from './calendar.ts';
import { merged } from './cover.ts';

export type FatigueCode = 'overlap' | 'long-stretch' | 'short-rest' | 'long-week';

export interface Fatigue extends Stretch {
  code: FatigueCode;
  practitioner: string;
  hours: number;
}

/** A shift of somebody, anywhere: rest does not depend on which establishment tires. */
export interface WorkedShift extends Stretch {
  practitioner: string;
  establishment: string;
  kind: string;
}

const hourMs = 3_600_000;
const restHours = 11;
const stretchHours = 24;
const weekHours = 48;

/** @param shifts of any number of people; those around the month too, for the rest between. */
export function fatigueIn(shifts: readonly WorkedShift[], timeZone: string): Fatigue[] {
  const byPerson = Map.groupBy(shifts, ({ practitioner }) => practitioner);
  return [...byPerson]
    .flatMap(([practitioner, own]) => {
      const worked = merged(own);
      return [
        ...overlaps(own),
        ...longStretches(worked, practitioner),
        ...shortRests(worked, practitioner),
        ...longWeeks(worked, practitioner, timeZone),
      ];
    })
    .sort((a, b) => a.start.getTime() - b.start.getTime());
}

const hoursOf = ({ start, end }: Stretch): number => (end.getTime() - start.getTime()) / hourMs;

/** The same person twice on the same duty of one establishment; several establishments at once are what tele-reading is. */
function overlaps(own: readonly WorkedShift[]): Fatigue[] {
  const sorted = [...own].sort((a, b) => a.start.getTime() - b.start.getTime());
  return sorted.flatMap((one, index) =>
    sorted
      .slice(index + 1)
      .filter((other) => other.start < one.end && sameDuty(one, other))
      .map((other): Fatigue => {
        const common = { start: other.start, end: other.end < one.end ? other.end : one.end };
        return { code: 'overlap', practitioner: one.practitioner, ...common, hours: hoursOf(common) };
      }),
  );
}

const sameDuty = (one: WorkedShift, other: WorkedShift): boolean =>
  one.establishment === other.establishment && one.kind === other.kind;

function longStretches(worked: readonly Stretch[], practitioner: string): Fatigue[] {
  return worked
    .filter((each) => hoursOf(each) > stretchHours)
    .map((each) => ({ code: 'long-stretch', practitioner, ...each, hours: hoursOf(each) }));
}

function shortRests(worked: readonly Stretch[], practitioner: string): Fatigue[] {
  return worked.slice(1).flatMap((next, index): Fatigue[] => {
    const rest = { start: worked[index]?.end ?? next.start, end: next.start };
    return hoursOf(rest) < restHours ? [{ code: 'short-rest', practitioner, ...rest, hours: hoursOf(rest) }] : [];
  });
}

/** Hours by the week they fall in, Monday to Sunday. */
function longWeeks(worked: readonly Stretch[], practitioner: string, timeZone: string): Fatigue[] {
  const weeks = new Map<number, { end: number; hours: number }>();
  for (const each of worked) {
    let from = each.start.getTime();
    while (from < each.end.getTime()) {
      const week = weekOf(from, timeZone);
      const to = Math.min(week.end, each.end.getTime());
      const hours = (weeks.get(week.start)?.hours ?? 0) + (to - from) / hourMs;
      weeks.set(week.start, { end: week.end, hours });
      from = to;
    }
  }
  return [...weeks]
    .filter(([, { hours }]) => hours > weekHours)
    .map(([start, { end, hours }]) => ({
      code: 'long-week',
      practitioner,
      start: new Date(start),
      end: new Date(end),
      hours,
    }));
}

function weekOf(instant: number, timeZone: string): { start: number; end: number } {
  const day = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone).toPlainDate();
  const monday = day.subtract({ days: day.dayOfWeek - 1 });
  const midnight = (date: Temporal.PlainDate): number => date.toZonedDateTime(timeZone).epochMilliseconds;
  return { start: midnight(monday), end: midnight(monday.add({ days: 7 })) };
}
