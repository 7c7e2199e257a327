import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monthNamed, type Stretch } from '../../../src/teleradiology/rota/calendar.ts';
import { gapsIn, hoursPromised, merged } from '../../../src/teleradiology/rota/cover.ts';
import { fatigueIn, type WorkedShift } from '../../../src/teleradiology/rota/fatigue.ts';

const paris = 'Europe/Paris';
const stretch = fc
  .tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 1, max: 40 }))
  .map(([from, length]): Stretch => ({ start: new Date(from * 60_000), end: new Date((from + length) * 60_000) }));
const stretches = fc.array(stretch, { maxLength: 12 });
const holds = (list: readonly Stretch[], minute: number): boolean =>
  list.some(({ start, end }) => start.getTime() <= minute * 60_000 && end.getTime() > minute * 60_000);

describe('gaps', () => {
  it('are exactly the minutes that are needed and not covered', () => {
    fc.assert(
      fc.property(stretches, stretches, (needed, covered) => {
        const gaps = gapsIn(needed, covered);
        for (let minute = 0; minute < 245; minute++)
          expect(holds(gaps, minute)).toBe(holds(needed, minute) && !holds(covered, minute));
        expect(gaps.every(({ start, end }) => start < end)).toBe(true);
      }),
    );
  });

  it('are told joined and in order', () => {
    fc.assert(
      fc.property(stretches, (list) => {
        const joined = merged(list);
        for (const [index, next] of joined.slice(1).entries()) expect(next.start > joined[index]!.end).toBe(true);
      }),
    );
  });
});

describe('hours promised by a service', () => {
  const october = monthNamed('2026-10', paris)!;
  const nights = {
    daysOfWeek: ['mon', 'tue', 'wed', 'thu', 'fri'],
    availableStartTime: '18:30:00',
    availableEndTime: '08:00:00',
  };
  const weekEnds = { daysOfWeek: ['sat', 'sun'], allDay: true };

  it('are the whole month when it says nothing, an hour more in October', () => {
    const [all, ...others] = hoursPromised(undefined, october, paris, 'france');
    expect(others).toEqual([]);
    expect((all!.end.getTime() - all!.start.getTime()) / 3_600_000).toBe(31 * 24 + 1);
  });

  it('join nights and week ends, and end in the morning after', () => {
    const hours = hoursPromised({ availableTime: [nights, weekEnds] } as never, october, paris, 'france');
    // From the evening of Friday 23 to midnight of Sunday: the week end of the change of clocks in one piece.
    expect(
      hours.some(
        ({ start, end }) =>
          start.toISOString() === '2026-10-23T16:30:00.000Z' && end.toISOString() === '2026-10-25T23:00:00.000Z',
      ),
    ).toBe(true);
    expect(hours[0]!.start).toEqual(october.start);
    expect(hours[0]!.end.toISOString()).toBe('2026-10-01T06:00:00.000Z');
  });

  it('are those of a Sunday on a public holiday', () => {
    const may = monthNamed('2026-05', paris)!;
    const hours = hoursPromised({ availableTime: [nights, weekEnds] } as never, may, paris, 'france');
    // 14 May 2026 is Ascension, a Thursday.
    const noon = Date.parse('2026-05-14T10:00:00Z');
    expect(hours.some(({ start, end }) => start.getTime() <= noon && end.getTime() > noon)).toBe(true);
    const ordinary = Date.parse('2026-05-13T10:00:00Z');
    expect(hours.some(({ start, end }) => start.getTime() <= ordinary && end.getTime() > ordinary)).toBe(false);
  });
});

describe('rest', () => {
  const shift = (start: string, end: string, changes: Partial<WorkedShift> = {}): WorkedShift => ({
    practitioner: 'a',
    establishment: 'north',
    kind: 'radiologist',
    start: new Date(start),
    end: new Date(end),
    ...changes,
  });
  const codesOf = (shifts: WorkedShift[]) => fatigueIn(shifts, paris).map(({ code }) => code);

  it('is short between a night and the day that follows, wherever they are worked', () => {
    const night = shift('2026-11-02T19:00:00Z', '2026-11-03T07:00:00Z');
    const day = shift('2026-11-03T13:00:00Z', '2026-11-03T19:00:00Z', { establishment: 'south' });
    expect(fatigueIn([night, day], paris)).toEqual([
      { code: 'short-rest', practitioner: 'a', start: night.end, end: day.start, hours: 6 },
    ]);
    expect(codesOf([night, { ...day, practitioner: 'b' }])).toEqual([]);
    expect(codesOf([night, shift('2026-11-03T18:00:00Z', '2026-11-04T00:00:00Z')])).toEqual([]);
  });

  it('is missing when shifts follow each other for more than a day, and in a week of more than 48 hours', () => {
    const first = shift('2026-11-02T07:00:00Z', '2026-11-02T19:00:00Z');
    const second = shift('2026-11-02T19:00:00Z', '2026-11-03T08:00:00Z');
    expect(codesOf([first, second])).toEqual(['long-stretch']);
    const week = [2, 3, 4, 5, 6].map((day) => shift(`2026-11-0${day}T08:00:00Z`, `2026-11-0${day}T18:00:00Z`));
    expect(fatigueIn(week, paris)).toMatchObject([{ code: 'long-week', hours: 50 }]);
    expect(codesOf(week.slice(1))).toEqual([]);
  });

  it('is not broken by reading for two hospitals at once, but two shifts of one duty are told', () => {
    const one = shift('2026-11-02T19:00:00Z', '2026-11-03T07:00:00Z');
    expect(codesOf([one, { ...one, establishment: 'south' }])).toEqual([]);
    expect(codesOf([one, shift('2026-11-03T05:00:00Z', '2026-11-03T09:00:00Z')])).toEqual(['overlap']);
  });

  it('counts each hour once: no one works more than a week has', () => {
    const any = fc.tuple(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 1, max: 72 })).map(([from, length]) => {
      const start = Date.parse('2026-10-12T00:00:00Z') + from * 3_600_000;
      return shift(new Date(start).toISOString(), new Date(start + length * 3_600_000).toISOString());
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), (shifts) => {
        for (const { code, hours } of fatigueIn(shifts, paris))
          if (code === 'long-week') expect(hours).toBeLessThanOrEqual(169);
      }),
    );
  });
});
