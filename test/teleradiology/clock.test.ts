import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import {
  deadline,
  defaultDelays,
  easter,
  holidays,
  isHoliday,
  ruleFor,
  thresholdAt,
  thresholds,
} from '../../src/teleradiology/clock/index.ts';

const routine = (started: string, terms: Partial<typeof defaultDelays> = {}): string =>
  deadline('routine-0800', new Date(started), { ...defaultDelays, ...terms }).toISOString();

describe('the delay of an urgent or in-patient case', () => {
  it('is one hour of real time, also in the nights when the hour changes', () => {
    for (const started of ['2026-10-25T00:30:00Z', '2027-03-28T00:30:00Z', '2026-05-12T08:00:00Z'])
      for (const rule of ['urgent-1h', 'inpatient-1h'] as const)
        expect(deadline(rule, new Date(started), defaultDelays).getTime() - Date.parse(started)).toBe(3_600_000);
  });

  it('is what the contract of the establishment says', () => {
    const due = deadline('urgent-1h', new Date('2026-05-12T08:00:00Z'), { ...defaultDelays, urgentMinutes: 30 });
    expect(due.toISOString()).toBe('2026-05-12T08:30:00.000Z');
  });
});

describe('the delay of a routine case', () => {
  it('ends at 08:00 in Paris of the calendar day after', () => {
    expect(routine('2026-05-12T14:00:00Z')).toBe('2026-05-13T06:00:00.000Z');
    expect(routine('2026-01-12T14:00:00Z')).toBe('2026-01-13T07:00:00.000Z');
  });

  it('is right when summer time ends and begins', () => {
    expect(routine('2026-10-24T20:00:00Z')).toBe('2026-10-25T07:00:00.000Z');
    expect(routine('2026-10-25T20:00:00Z')).toBe('2026-10-26T07:00:00.000Z');
    expect(routine('2027-03-27T20:00:00Z')).toBe('2027-03-28T06:00:00.000Z');
    expect(routine('2027-03-26T20:00:00Z')).toBe('2027-03-27T07:00:00.000Z');
  });

  it('counts the local day: 23:30 in Paris and 00:30 are two days, though one in UTC', () => {
    expect(routine('2026-05-12T21:30:00Z')).toBe('2026-05-13T06:00:00.000Z');
    expect(routine('2026-05-12T22:30:00Z')).toBe('2026-05-14T06:00:00.000Z');
  });

  it('lets a contract begin its day at 08:00', () => {
    expect(routine('2026-05-12T22:30:00Z', { dutyDayStart: '08:00' })).toBe('2026-05-13T06:00:00.000Z');
  });

  it('uses the time zone of the establishment', () => {
    expect(routine('2026-05-12T14:00:00Z', { timeZone: 'Indian/Reunion' })).toBe('2026-05-13T04:00:00.000Z');
    expect(routine('2026-05-12T14:00:00Z', { timeZone: 'America/Guadeloupe' })).toBe('2026-05-13T12:00:00.000Z');
  });

  it('moves past public holidays only where the contract says so', () => {
    expect(routine('2026-05-13T14:00:00Z')).toBe('2026-05-14T06:00:00.000Z');
    expect(routine('2026-05-13T14:00:00Z', { routineSkipsHolidays: true })).toBe('2026-05-15T06:00:00.000Z');
    const christmas = { routineSkipsHolidays: true, holidays: 'alsace-moselle' as const };
    expect(routine('2026-12-24T14:00:00Z', christmas)).toBe('2026-12-27T07:00:00.000Z');
  });

  it('always ends at the hour said, on a later day, within 48 hours', () => {
    const zones = fc.constantFrom(
      'Europe/Paris',
      'Indian/Reunion',
      'America/Guadeloupe',
      'Pacific/Tahiti',
      'Indian/Mayotte',
    );
    const instants = fc.integer({ min: Date.parse('2025-01-01'), max: Date.parse('2035-01-01') });
    fc.assert(
      fc.property(instants, zones, (started, timeZone) => {
        const due = deadline('routine-0800', new Date(started), { ...defaultDelays, timeZone });
        const local = (ms: number) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);
        expect(local(due.getTime()).toPlainTime().toString({ smallestUnit: 'minute' })).toBe('08:00');
        expect(
          local(due.getTime())
            .toPlainDate()
            .equals(local(started).toPlainDate().add({ days: 1 })),
        ).toBe(true);
      }),
    );
  });
});

describe('thresholds', () => {
  it('lie in order between the start and the deadline, the last one on it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000_000 }), (delay) => {
        const started = new Date('2026-05-12T08:00:00Z');
        const due = new Date(started.getTime() + delay);
        const times = thresholds.map((threshold) => thresholdAt(started, due, threshold).getTime());
        expect([...times].sort((a, b) => a - b)).toEqual(times);
        expect(times[0]).toBeGreaterThanOrEqual(started.getTime());
        expect(times.at(-1)).toBe(due.getTime());
      }),
    );
  });
});

describe('the rule of a case', () => {
  it('is urgent for an emergency, an urgent order, and whatever nobody said', () => {
    expect(ruleFor(undefined, 'E')).toBe('urgent-1h');
    expect(ruleFor('stat', 'O')).toBe('urgent-1h');
    expect(ruleFor(undefined, undefined)).toBe('urgent-1h');
    expect(ruleFor(undefined, 'N')).toBe('urgent-1h');
  });

  it('is one hour for an in-patient, the next morning for out-patients', () => {
    expect(ruleFor(undefined, 'I')).toBe('inpatient-1h');
    expect(ruleFor('routine', 'I')).toBe('inpatient-1h');
    expect(ruleFor(undefined, 'O')).toBe('routine-0800');
    expect(ruleFor(undefined, 'R')).toBe('routine-0800');
    expect(ruleFor('routine', undefined)).toBe('routine-0800');
  });
});

describe('public holidays', () => {
  it('follow Easter as published', () => {
    const known = {
      1961: '1961-04-02',
      2000: '2000-04-23',
      2008: '2008-03-23',
      2019: '2019-04-21',
      2026: '2026-04-05',
      2027: '2027-03-28',
      2038: '2038-04-25',
      2285: '2285-03-22',
    };
    for (const [year, day] of Object.entries(known)) expect(easter(Number(year)).toString()).toBe(day);
  });

  it('of 2026 are the eleven of France, and thirteen in Alsace-Moselle', () => {
    const eleven = [
      '2026-01-01',
      '2026-04-06',
      '2026-05-01',
      '2026-05-08',
      '2026-05-14',
      '2026-05-25',
      '2026-07-14',
      '2026-08-15',
      '2026-11-01',
      '2026-11-11',
      '2026-12-25',
    ];
    expect(holidays(2026)).toEqual(eleven);
    expect(holidays(2026, 'alsace-moselle')).toEqual([...eleven, '2026-04-03', '2026-12-26'].sort());
    expect(isHoliday(Temporal.PlainDate.from('2026-04-03'))).toBe(false);
    expect(isHoliday(Temporal.PlainDate.from('2026-04-03'), 'alsace-moselle')).toBe(true);
  });

  it('put Easter on a Sunday between 22 March and 25 April of any year', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1900, max: 2499 }), (year) => {
        const sunday = easter(year);
        expect(sunday.dayOfWeek).toBe(7);
        expect(sunday.toString() >= `${year}-03-22` && sunday.toString() <= `${year}-04-25`).toBe(true);
      }),
    );
  });
});
