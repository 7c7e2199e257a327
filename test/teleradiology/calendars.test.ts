import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import {
  dueAt,
  type HolidayCalendar,
  holidayCalendars,
  holidays,
  hourBandOf,
  type LocalCalendar,
} from '../../src/teleradiology/clock/index.ts';

const paris: LocalCalendar = { timeZone: 'Europe/Paris', holidays: 'france' };
const own = (calendar: HolidayCalendar, year = 2026): string[] =>
  holidays(year, calendar).filter((day) => !holidays(year).includes(day));

describe('the holidays of each community', () => {
  it('are those of metropolitan France and what the community adds', () => {
    expect(own('alsace-moselle')).toEqual(['2026-04-03', '2026-12-26']);
    expect(own('guadeloupe')).toEqual(['2026-05-27']);
    expect(own('martinique')).toEqual(['2026-05-22']);
    expect(own('guyane')).toEqual(['2026-06-10']);
    expect(own('reunion')).toEqual(['2026-12-20']);
    expect(own('mayotte')).toEqual(['2026-04-27']);
    expect(own('saint-barthelemy')).toEqual(['2026-10-09']);
    expect(own('saint-martin')).toEqual(['2026-05-28']);
    expect(own('saint-pierre-et-miquelon')).toEqual([]);
    expect(own('polynesie-francaise')).toEqual(['2026-03-05', '2026-04-03', '2026-11-20']);
    expect(own('nouvelle-caledonie')).toEqual(['2026-09-24']);
    expect(own('wallis-et-futuna')).toEqual(['2026-04-28', '2026-07-29']);
  });

  it('change with the law from one year to the next', () => {
    expect([own('saint-martin', 2018), own('saint-martin', 2019)]).toEqual([['2018-05-27'], ['2019-05-28']]);
    expect(own('polynesie-francaise', 2024)).toContain('2024-06-29');
    expect(own('polynesie-francaise', 2025)).toContain('2025-11-20');
    expect(own('polynesie-francaise', 2025)).not.toContain('2025-06-29');
  });

  it('contain the eleven national days of any year in order, each day once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1990, max: 2199 }), fc.constantFrom(...holidayCalendars), (year, calendar) => {
        const days = holidays(year, calendar);
        expect(days).toEqual([...new Set(days)].sort());
        expect(days).toEqual(expect.arrayContaining(holidays(year)));
        expect(days.every((day) => Temporal.PlainDate.from(day).year === year)).toBe(true);
      }),
    );
  });
});

describe('the band of an hour', () => {
  const band = (instant: string, calendar = paris) => hourBandOf(new Date(instant), calendar);

  it('is the day from 08:00 to 18:00 where the establishment is, then the night', () => {
    expect(['05:59:59', '06:00:00', '15:59:59', '16:00:00'].map((time) => band(`2026-05-12T${time}Z`))).toEqual([
      'night',
      'day',
      'day',
      'night',
    ]);
    expect(band('2026-05-12T04:00:00Z', { timeZone: 'Indian/Reunion', holidays: 'reunion' })).toBe('day');
  });

  it('is the weekend on Saturdays and Sundays, and the holiday before all', () => {
    expect(band('2026-05-16T10:00:00Z')).toBe('weekend');
    expect(band('2026-08-15T10:00:00Z')).toBe('holiday');
    expect(band('2026-05-27T14:00:00Z')).toBe('day');
    expect(band('2026-05-27T14:00:00Z', { timeZone: 'America/Guadeloupe', holidays: 'guadeloupe' })).toBe('holiday');
  });

  it('begins and ends with the local day: the 14th of July in Tahiti is still the 15th in Paris', () => {
    const tahiti: LocalCalendar = { timeZone: 'Pacific/Tahiti', holidays: 'polynesie-francaise' };
    expect(band('2026-07-15T09:00:00Z', tahiti)).toBe('holiday');
    expect(band('2026-07-15T09:00:00Z')).toBe('day');
  });

  it('knows the days that a contract adds, such as the moving feasts of Mayotte', () => {
    const mayotte: LocalCalendar = { timeZone: 'Indian/Mayotte', holidays: 'mayotte', alsoHolidays: ['2026-03-20'] };
    expect(band('2026-03-20T08:00:00Z', mayotte)).toBe('holiday');
    expect(band('2026-03-20T08:00:00Z', { ...mayotte, alsoHolidays: [] })).toBe('day');
  });

  it('has ten hours of day also on the weekdays around a change of the hour', () => {
    for (const monday of ['2026-10-26', '2027-03-29']) {
      const midnight = Temporal.PlainDate.from(monday).toZonedDateTime('Europe/Paris').epochMilliseconds;
      const hours = Array.from({ length: 24 }, (_, hour) => band(new Date(midnight + hour * 3_600_000).toISOString()));
      const expected = monday === '2026-10-26' ? 'day' : 'holiday';
      expect(hours.filter((each) => each === expected)).toHaveLength(expected === 'day' ? 10 : 24);
    }
  });
});

describe('a delay', () => {
  const zones = fc.constantFrom(
    'Europe/Paris',
    'America/Guadeloupe',
    'Indian/Reunion',
    'Pacific/Tahiti',
    'America/Miquelon',
  );
  const instants = fc.integer({ min: Date.parse('2025-01-01'), max: Date.parse('2035-01-01') });
  const calendars = fc.constantFrom(...holidayCalendars);

  it('in minutes is real time, whatever the wall clock does', () => {
    for (const night of ['2026-10-25T00:30:00Z', '2027-03-28T00:30:00Z'])
      expect(dueAt({ minutes: 720 }, new Date(night), paris).getTime() - Date.parse(night)).toBe(12 * 3_600_000);
  });

  it('until an hour that the night skips ends an hour later, and at the first of an hour that comes twice', () => {
    const early = { morning: '02:30', dutyDayStart: '00:00', skipsHolidays: false };
    expect(dueAt(early, new Date('2027-03-27T12:00:00Z'), paris).toISOString()).toBe('2027-03-28T01:30:00.000Z');
    expect(dueAt(early, new Date('2026-10-24T12:00:00Z'), paris).toISOString()).toBe('2026-10-25T00:30:00.000Z');
  });

  it('until a morning ends at that hour of a later day that is no holiday where they are skipped, and never before it starts', () => {
    const hours = fc.constantFrom('07:30', '08:00', '12:00');
    fc.assert(
      fc.property(
        instants,
        zones,
        calendars,
        hours,
        hours,
        fc.boolean(),
        (ms, timeZone, calendar, morning, dutyDayStart, skipsHolidays) => {
          const due = dueAt({ morning, dutyDayStart, skipsHolidays }, new Date(ms), { timeZone, holidays: calendar });
          const local = Temporal.Instant.fromEpochMilliseconds(due.getTime()).toZonedDateTimeISO(timeZone);
          expect(local.toPlainTime().toString({ smallestUnit: 'minute' })).toBe(morning);
          expect(due.getTime()).toBeGreaterThan(ms);
          if (skipsHolidays) expect(holidays(local.year, calendar)).not.toContain(local.toPlainDate().toString());
          else expect(due.getTime() - ms).toBeLessThanOrEqual(49 * 3_600_000);
        },
      ),
    );
  });
});
