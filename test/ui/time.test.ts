import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countdown, durationText } from '../../src/ui/time/countdown.ts';
import {
  ageText,
  frenchDate,
  frenchDateTime,
  frenchDicomDate,
  frenchInstant,
  frenchShort,
} from '../../src/ui/time/format.ts';
import { createServerClock } from '../../src/ui/time/server-clock.ts';

const minute = 60_000;
const start = new Date('2026-11-22T02:00:00Z');
const at = (minutes: number): Date => new Date(start.getTime() + minutes * minute);

describe('the time left', () => {
  it('warns at half and at three quarters of the delay, and says how late it is', () => {
    const left = (minutes: number) => countdown(at(60), start, at(minutes));
    expect(left(10)).toEqual({ level: 'calm', text: '50 min' });
    expect(left(30)).toEqual({ level: 'watch', text: '30 min' });
    expect(left(45)).toEqual({ level: 'hurry', text: '15 min' });
    expect(left(58)).toEqual({ level: 'hurry', text: '2 min 00' });
    expect(left(60)).toEqual({ level: 'late', text: 'retard 0 s' });
    expect(left(72)).toEqual({ level: 'late', text: 'retard 12 min' });
    expect(countdown(undefined, undefined, start)).toEqual({ level: 'none', text: 'délai non démarré' });
  });

  it('never calls a deadline that passed anything but late, nor one to come late', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -10_000_000, max: 10_000_000 }),
        fc.option(fc.date({ noInvalidDate: true })),
        (leftMs, started) => {
          const { level, text } = countdown(new Date(start.getTime() + leftMs), started ?? undefined, start);
          expect(level === 'late').toBe(leftMs <= 0);
          expect(text.startsWith('retard')).toBe(leftMs <= 0);
        },
      ),
    );
  });

  it('is written in the unit a person needs', () => {
    expect([4_000, 245_000, 59 * minute, 65 * minute, 26 * 60 * minute].map(durationText)).toEqual([
      '4 s',
      '4 min 05',
      '59 min',
      '1 h 05',
      '1 j 2 h',
    ]);
  });
});

describe('dates', () => {
  it('are shown in Paris time on both sides of a change of hour', () => {
    expect(frenchDateTime('2026-10-25T00:30:00Z')).toBe('25/10/2026 02:30');
    expect(frenchDateTime('2026-10-25T01:30:00Z')).toBe('25/10/2026 02:30');
    expect(frenchDateTime('2027-03-28T01:30:00Z')).toBe('28/03/2027 03:30');
    expect(frenchInstant('2026-11-22T23:30:07Z')).toBe('23/11/2026 00:30:07');
  });

  it('keep the precision they came with', () => {
    expect([frenchDate('1959-03-12'), frenchDate('1959-03'), frenchDate('1959'), frenchDate(undefined)]).toEqual([
      '12/03/1959',
      '03/1959',
      '1959',
      'non renseignée',
    ]);
    expect(frenchDateTime('2026-11-22')).toBe('22/11/2026');
    expect(frenchDicomDate('20261122')).toBe('22/11/2026');
    expect(frenchDicomDate('2026')).toBeUndefined();
  });

  it('are an hour alone when today', () => {
    expect(frenchShort('2026-11-22T03:15:00Z', start)).toBe('04:15');
    expect(frenchShort('2026-11-23T07:00:00Z', start)).toBe('23/11/2026 08:00');
  });

  it('make ages in days, months or years', () => {
    const age = (birth: string | undefined) => ageText(birth, new Date('2026-11-22T02:00:00Z'));
    expect([age('2026-11-20'), age('2026-09-23'), age('2024-02-20'), age('1959-11-22'), age('1959-11-23')]).toEqual([
      '2 jours',
      '1 mois',
      '33 mois',
      '67 ans',
      '66 ans',
    ]);
    expect([age('1959'), age(undefined), age('2027-01-01')]).toEqual([undefined, undefined, undefined]);
  });
});

describe("the server's clock", () => {
  it('follows the server when the workstation is wrong, and the workstation when they agree', () => {
    const clock = createServerClock(() => start.getTime());
    expect(clock.now()).toEqual(start);
    clock.heard(new Date(start.getTime() + 10 * minute).toUTCString());
    expect(clock.now()).toEqual(at(10));
    clock.heard('not a date');
    clock.heard(null);
    expect(clock.now()).toEqual(at(10));
    clock.heard(new Date(start.getTime() + 1_000).toUTCString());
    expect(clock.now()).toEqual(start);
  });
});
