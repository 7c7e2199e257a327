/**
 * Public holidays of metropolitan France (Code du travail L3133-1), of Alsace-Moselle (L3134-13) and of the overseas
 * communities: commemoration of the abolition of slavery (L3422-2, decree 83-1003), and the labour codes of the Pacific.
 */
import type { Temporal } from 'temporal-polyfill';
import { easter } from './easter.ts';

/** What an establishment's `holidays` setting may name. */
export const holidayCalendars = [
  'france',
  'alsace-moselle',
  'guadeloupe',
  'martinique',
  'guyane',
  'reunion',
  'mayotte',
  'saint-barthelemy',
  'saint-martin',
  'saint-pierre-et-miquelon',
  'polynesie-francaise',
  'nouvelle-caledonie',
  'wallis-et-futuna',
] as const;
export type HolidayCalendar = (typeof holidayCalendars)[number];

/** A holiday of each year, or of the years from `from` to `until`, both included. */
interface LocalHoliday {
  /** Month and day, or days from Easter Sunday. */
  on: string | number;
  from?: number;
  until?: number;
}

const goodFriday: LocalHoliday = { on: -2 };

/** Observed everywhere: eight fixed days, Easter Monday, Ascension, Whit Monday. */
const national: readonly LocalHoliday[] = [
  ...['01-01', '05-01', '05-08', '07-14', '08-15', '11-01', '11-11', '12-25'].map((on) => ({ on })),
  { on: 1 },
  { on: 39 },
  { on: 50 },
];

const local: Readonly<Record<HolidayCalendar, readonly LocalHoliday[]>> = {
  france: [],
  'alsace-moselle': [goodFriday, { on: '12-26' }],
  guadeloupe: [{ on: '05-27' }],
  martinique: [{ on: '05-22' }],
  guyane: [{ on: '06-10' }],
  reunion: [{ on: '12-20' }],
  mayotte: [{ on: '04-27' }],
  'saint-barthelemy': [{ on: '10-09' }],
  // The collectivity has kept the day after Guadeloupe's since 2019.
  'saint-martin': [
    { on: '05-27', until: 2018 },
    { on: '05-28', from: 2019 },
  ],
  'saint-pierre-et-miquelon': [],
  // Matari'i took the place of the day of autonomy by the country's law of May 2025.
  'polynesie-francaise': [{ on: '03-05' }, goodFriday, { on: '06-29', until: 2024 }, { on: '11-20', from: 2025 }],
  'nouvelle-caledonie': [{ on: '09-24' }],
  'wallis-et-futuna': [{ on: '04-28' }, { on: '07-29' }],
};

/** Public holidays of a year in order, ISO dates. */
export function holidays(year: number, calendar: HolidayCalendar = 'france'): string[] {
  const sunday = easter(year);
  const days = [...national, ...local[calendar]]
    .filter(({ from = year, until = year }) => from <= year && year <= until)
    .map(({ on }) =>
      typeof on === 'number' ? sunday.add({ days: on }).toString() : `${String(year).padStart(4, '0')}-${on}`,
    );
  return [...new Set(days)].sort();
}

/** @param also ISO dates that a contract treats as holidays beside those of the calendar. */
export function isHoliday(
  date: Temporal.PlainDate,
  calendar: HolidayCalendar = 'france',
  also: readonly string[] = [],
): boolean {
  const day = date.toString();
  return also.includes(day) || holidays(date.year, calendar).includes(day);
}

const known: ReadonlySet<string> = new Set(holidayCalendars);

export function isHolidayCalendar(name: string | undefined): name is HolidayCalendar {
  return name !== undefined && known.has(name);
}
