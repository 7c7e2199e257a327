import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  daysOf,
  isShortNotice,
  latestNotice,
  localParts,
  monthAfter,
  monthNamed,
  monthOf,
  shiftOn,
} from '../../../src/teleradiology/rota/calendar.ts';

const hours = ({ start, end }: { start: Date; end: Date }): number => (end.getTime() - start.getTime()) / 3_600_000;
const zones = ['Europe/Paris', 'America/Guadeloupe', 'Indian/Reunion', 'Pacific/Tahiti', 'America/Miquelon'];
const zone = fc.constantFrom(...zones);
const day = fc
  .date({ min: new Date('2024-01-01'), max: new Date('2032-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

describe('shifts by the clock on the wall', () => {
  it('last an hour more in the night clocks go back, and an hour less when they go forward', () => {
    expect(hours(shiftOn('2026-10-24', '20:00', '08:00', 'Europe/Paris'))).toBe(13);
    expect(hours(shiftOn('2027-03-27', '20:00', '08:00', 'Europe/Paris'))).toBe(11);
    expect(hours(shiftOn('2026-10-23', '20:00', '08:00', 'Europe/Paris'))).toBe(12);
    expect(hours(shiftOn('2026-10-25', '00:00', '24:00', 'Europe/Paris'))).toBe(25);
    // Overseas clocks stand still.
    expect(hours(shiftOn('2026-10-24', '20:00', '08:00', 'Indian/Reunion'))).toBe(12);
  });

  it('begin and end at the hours that were said, on any day anywhere', () => {
    fc.assert(
      fc.property(
        zone,
        day,
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 23 }),
        (where, on, from, to) => {
          const [first, last] = [from, to].map((hour) => `${String(hour).padStart(2, '0')}:00`) as [string, string];
          const shift = shiftOn(on, first, last, where);
          const [start, end] = [localParts(shift.start, where), localParts(shift.end, where)];
          // Two o'clock does not exist in the night of March: then it is three.
          const isMissing = (time: string) => time === '02:00' && where !== 'America/Guadeloupe';
          if (!isMissing(first)) expect(start).toEqual({ day: on, time: first });
          if (!isMissing(last)) expect(end.time).toBe(last);
          expect(hours(shift)).toBeGreaterThanOrEqual(0);
          expect(hours(shift)).toBeLessThanOrEqual(25);
        },
      ),
    );
  });

  it('of one day and the next leave no instant between them and none twice', () => {
    fc.assert(
      fc.property(zone, day, (where, on) => {
        const today = shiftOn(on, '00:00', '24:00', where);
        const noon = shiftOn(on, '08:00', '20:00', where);
        const night = shiftOn(on, '20:00', '08:00', where);
        expect(noon.end).toEqual(night.start);
        expect(hours(noon) + hours(night)).toBeCloseTo(hours(shiftOn(on, '08:00', '08:00', where)), 6);
        expect(today.end).toEqual(shiftOn(localParts(today.end, where).day, '00:00', '24:00', where).start);
      }),
    );
  });
});

describe('months', () => {
  it('follow each other without a gap and hold their own days', () => {
    fc.assert(
      fc.property(zone, day, (where, on) => {
        const month = monthOf(new Date(`${on}T12:00:00Z`), where);
        const next = monthAfter(month, where);
        expect(next.start).toEqual(month.end);
        for (const each of daysOf(month)) {
          const { start } = shiftOn(each, '20:00', '08:00', where);
          expect(start >= month.start && start < month.end).toBe(true);
        }
        expect(monthNamed(month.name, where)).toEqual(month);
      }),
    );
  });

  it('begin at midnight where the establishment is', () => {
    expect(monthNamed('2026-12', 'Europe/Paris')?.start.toISOString()).toBe('2026-11-30T23:00:00.000Z');
    expect(monthNamed('2026-12', 'Pacific/Tahiti')?.start.toISOString()).toBe('2026-12-01T10:00:00.000Z');
    expect(monthNamed('2026-13', 'Europe/Paris')).toBeUndefined();
  });
});

describe('notice', () => {
  it('is seven days of the calendar, also across the change of clocks', () => {
    const start = shiftOn('2026-10-26', '20:00', '08:00', 'Europe/Paris').start;
    expect(localParts(latestNotice(start, 'Europe/Paris'), 'Europe/Paris')).toEqual({
      day: '2026-10-19',
      time: '20:00',
    });
    expect(isShortNotice(new Date('2026-10-19T18:00:00Z'), start, 'Europe/Paris')).toBe(false);
    expect(isShortNotice(new Date('2026-10-19T18:00:01Z'), start, 'Europe/Paris')).toBe(true);
  });
});
