import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import {
  dueAt,
  easter,
  holidays,
  isHoliday,
  nextAt,
  type Plan,
  partAt,
  planOf,
  repetitionOf,
  replan,
  stepsDue,
  urgencyOf,
  withRaised,
} from '../../src/teleradiology/clock/index.ts';
import { type Circumstances, chooseTerm, defaultTerms } from '../../src/teleradiology/contract-terms/index.ts';
import { defaultSettings } from '../../src/teleradiology/index.ts';

type Delays = typeof defaultSettings.delays;

/** Deadline of a reading by the defaults, with numbers of the establishment in their place. */
function deadline(
  of: Pick<Circumstances, 'urgency' | 'setting'>,
  started: string,
  numbers: Partial<Delays> = {},
): Date {
  const delays = { ...defaultSettings.delays, ...numbers };
  const terms = defaultTerms({ ...defaultSettings, delays });
  const circumstances = { clock: 'interpretation', started: new Date(started), acts: [], ...of } as const;
  const { term, calendar } = chooseTerm([{ terms, alsoHolidays: [] }], circumstances, delays);
  return dueAt(term.delay, new Date(started), calendar);
}
const urgent = { urgency: 'urgent', setting: undefined } as const;
const inpatient = { urgency: 'urgent', setting: 'inpatient' } as const;
const outpatient = { urgency: 'routine', setting: 'outpatient' } as const;
const routine = (started: string, numbers: Partial<Delays> = {}): string =>
  deadline(outpatient, started, numbers).toISOString();

describe('the delay of an urgent or in-patient case', () => {
  it('is one hour of real time, also in the nights when the hour changes', () => {
    for (const started of ['2026-10-25T00:30:00Z', '2027-03-28T00:30:00Z', '2026-05-12T08:00:00Z'])
      for (const of of [urgent, inpatient])
        expect(deadline(of, started).getTime() - Date.parse(started)).toBe(3_600_000);
  });

  it('is what the contract of the establishment says', () => {
    const at = '2026-05-12T08:00:00Z';
    expect(deadline(urgent, at, { urgentMinutes: 30 }).toISOString()).toBe('2026-05-12T08:30:00.000Z');
    expect(deadline(inpatient, at, { inpatientMinutes: 45 }).toISOString()).toBe('2026-05-12T08:45:00.000Z');
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
        const due = deadline(outpatient, new Date(started).toISOString(), { timeZone });
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

describe('the plan of a clock', () => {
  const started = new Date('2026-05-12T08:00:00Z');
  const terms = { reminders: [50, 75, 100], escalations: [{ to: 'coordinator', afterMinutes: 15 }] };
  const plan = (minutes: number): Plan => planOf(started, new Date(started.getTime() + minutes * 60_000), terms);
  const at = (time: string) => new Date(`2026-05-12T${time}Z`);
  const names = (steps: Plan) => steps.map(({ step }) => step);

  it('has its reminders, the deadline, its escalations, in order of time', () => {
    expect(names(plan(60))).toEqual(['reminder-50', 'reminder-75', 'reminder-100', 'due', 'escalation-coordinator']);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200_000_000 }), (delay) => {
        const due = new Date(started.getTime() + delay);
        const times = planOf(started, due, terms).map((step) => step.at.getTime());
        expect([...times].sort((a, b) => a - b)).toEqual(times);
        expect(times[0]).toBeGreaterThanOrEqual(started.getTime());
        expect(partAt(started, due, 100)).toEqual(due);
      }),
    );
  });

  it('raises what is due once, whenever it is looked at, and knows when to look again', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 12 }), (minutes) => {
        let current = plan(60);
        const raised: string[] = [];
        for (const minute of [...minutes, 600].sort((a, b) => a - b)) {
          const now = new Date(started.getTime() + minute * 60_000);
          const due = stepsDue(current, now);
          expect(due.length > 0).toBe((nextAt(current)?.getTime() ?? Number.POSITIVE_INFINITY) <= now.getTime());
          raised.push(...names(due));
          current = withRaised(current, due, now);
        }
        expect(raised).toEqual(names(plan(60)));
        expect(nextAt(current)).toBeUndefined();
      }),
    );
  });

  it('goes on telling after its last step, for as long as it runs: each wait twice the one before, a day at most', () => {
    const repeating = { ...terms, repeatMinutes: 60 };
    let current = planOf(started, at('09:00:00'), repeating);
    const told: { step: string; minutes: number }[] = [];
    for (let looked = 0; looked < 14; looked++) {
      const now = nextAt(current) as Date;
      const due = stepsDue(current, now);
      told.push(...due.map(({ step }) => ({ step, minutes: (now.getTime() - started.getTime()) / 60_000 })));
      current = withRaised(current, due, now);
    }
    expect(told.map(({ minutes }) => minutes)).toEqual([
      30, 45, 60, 60, 75, 135, 255, 495, 975, 1935, 3375, 4815, 6255, 7695, 9135,
    ]);
    expect(told.slice(5).map(({ step }) => step)).toEqual(told.slice(5).map((_, index) => `repeat-${index + 1}`));
    expect(current).toHaveLength(6);
  });

  it('whenever it is looked at, is never silent, tells no repetition beside another step and never two at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4_000 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 5, max: 1440 }),
        (waits, repeatMinutes) => {
          let current = planOf(started, at('09:00:00'), { ...terms, repeatMinutes });
          let now = started;
          let lastTold: Date | undefined;
          for (const wait of waits) {
            now = new Date(now.getTime() + wait * 60_000);
            const due = stepsDue(current, now);
            const repetitions = due.filter(({ step }) => repetitionOf(step) !== undefined);
            expect(repetitions.length).toBeLessThanOrEqual(due.length === 1 ? 1 : 0);
            if (repetitions.length > 0 && lastTold !== undefined)
              expect(now.getTime() - lastTold.getTime()).toBeGreaterThanOrEqual(repeatMinutes * 60_000);
            if (due.length > 0) lastTold = now;
            current = withRaised(current, due, now);
            const next = nextAt(current);
            expect(next !== undefined && next > now).toBe(true);
            expect((next as Date).getTime() - Math.max(now.getTime(), at('09:15:00').getTime())).toBeLessThanOrEqual(
              1440 * 60_000,
            );
          }
        },
      ),
    );
  });

  it('keeps its place among the repetitions when the delay changes, and starts them anew where it has more time', () => {
    const repeating = { ...terms, repeatMinutes: 60 };
    const planned = (minutes: number) => planOf(started, new Date(started.getTime() + minutes * 60_000), repeating);
    let late = planned(60);
    for (const time of ['09:20:00', '10:20:00']) late = withRaised(late, stepsDue(late, at(time)), at(time));
    expect(late.at(-1)).toMatchObject({ step: 'repeat-2', at: at('12:20:00') });
    expect(replan(late, planned(40), at('10:30:00')).at(-1)).toMatchObject({ step: 'repeat-2', at: at('12:20:00') });
    expect(replan(late, planned(600), at('10:30:00')).at(-1)).toMatchObject({ step: 'repeat-1', at: at('19:15:00') });
  });

  it('that gets shorter raises at once what has passed and repeats nothing; longer, it tells again what falls anew', () => {
    const before = withRaised(plan(120), stepsDue(plan(120), at('09:00:00')), at('09:00:00'));
    expect(names(stepsDue(replan(before, plan(40), at('09:01:00')), at('09:01:00')))).toEqual([
      'reminder-75',
      'reminder-100',
      'due',
      'escalation-coordinator',
    ]);
    const longer = replan(before, plan(600), at('09:01:00'));
    expect(stepsDue(longer, at('09:01:00'))).toEqual([]);
    expect(nextAt(longer)).toEqual(at('13:00:00'));
  });
});

describe('the urgency of a request', () => {
  it('is urgent for an emergency, an in-patient, an urgent order, and whatever nobody said', () => {
    for (const [priority, encounterClass] of [
      [undefined, 'E'],
      ['routine', 'E'],
      [undefined, 'I'],
      ['routine', 'I'],
      ['stat', 'O'],
      [undefined, undefined],
      [undefined, 'N'],
    ])
      expect(urgencyOf(priority, encounterClass)).toBe('urgent');
  });

  it('is routine for out-patients, and where the order says so', () => {
    for (const [priority, encounterClass] of [
      [undefined, 'O'],
      [undefined, 'R'],
      ['routine', 'O'],
      ['routine', undefined],
      ['routine', 'N'],
    ])
      expect(urgencyOf(priority, encounterClass)).toBe('routine');
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
