/** Public holidays of metropolitan France (Code du travail L3133-1) and the two more of Alsace-Moselle (L3134-13). */
import { Temporal } from 'temporal-polyfill';

export type HolidayCalendar = 'france' | 'alsace-moselle';

/** Fixed days, month-day. */
const fixed: readonly string[] = ['01-01', '05-01', '05-08', '07-14', '08-15', '11-01', '11-11', '12-25'];
/** Days from Easter Sunday: Easter Monday, Ascension, Whit Monday. */
const afterEaster: readonly number[] = [1, 39, 50];
const alsaceFixed: readonly string[] = ['12-26'];
/** Good Friday. */
const alsaceAfterEaster: readonly number[] = [-2];

/** Easter Sunday of a year of the Gregorian calendar (the anonymous computus of 1876). */
export function easter(year: number): Temporal.PlainDate {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const yearOfCentury = year % 100;
  const leapCorrection = Math.floor((century + 8) / 25);
  const moonCorrection = Math.floor((century - leapCorrection + 1) / 3);
  const epact = (19 * golden + century - Math.floor(century / 4) - moonCorrection + 15) % 30;
  const weekday = (32 + 2 * (century % 4) + 2 * Math.floor(yearOfCentury / 4) - epact - (yearOfCentury % 4)) % 7;
  const late = Math.floor((golden + 11 * epact + 22 * weekday) / 451);
  const day = epact + weekday - 7 * late + 114;
  return Temporal.PlainDate.from({ year, month: Math.floor(day / 31), day: (day % 31) + 1 });
}

/** Public holidays of a year in order, ISO dates. */
export function holidays(year: number, calendar: HolidayCalendar = 'france'): string[] {
  const local = calendar === 'alsace-moselle';
  const sunday = easter(year);
  const days = [...fixed, ...(local ? alsaceFixed : [])].map((day) => `${String(year).padStart(4, '0')}-${day}`);
  const moving = [...afterEaster, ...(local ? alsaceAfterEaster : [])];
  return [...new Set([...days, ...moving.map((shift) => sunday.add({ days: shift }).toString())])].sort();
}

export function isHoliday(date: Temporal.PlainDate, calendar: HolidayCalendar = 'france'): boolean {
  return holidays(date.year, calendar).includes(date.toString());
}
