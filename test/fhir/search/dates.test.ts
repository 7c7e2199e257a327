import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateInterval, elementInterval } from '../../../src/fhir/search/dates.ts';

const iso = (interval: { lo: number; hi: number } | undefined) =>
  interval && [new Date(interval.lo).toISOString(), new Date(interval.hi).toISOString()];

describe('a date', () => {
  it.each([
    ['2026', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2024-02', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ['2026-10-25T02:30:00+02:00', '2026-10-25T00:30:00.000Z', '2026-10-25T00:30:01.000Z'],
    ['2026-01-01T10:00', '2026-01-01T10:00:00.000Z', '2026-01-01T10:01:00.000Z'],
    ['2026-01-01T10:00:00.5Z', '2026-01-01T10:00:00.500Z', '2026-01-01T10:00:00.600Z'],
    ['0044-03-15', '0044-03-15T00:00:00.000Z', '0044-03-16T00:00:00.000Z'],
  ])('%s covers all it could mean at its precision', (text, lo, hi) => {
    expect(iso(dateInterval(text))).toEqual([lo, hi]);
  });

  it.each([
    '',
    '26',
    '2026-13',
    '2026-02-30',
    '2026-1-1',
    '2026-01-01T24:00:00Z',
    '2026-01-01T10',
    '2026-01-01T10:00:00+19:00',
    'now',
    '0000',
  ])('%j is not a date', (text) => {
    expect(dateInterval(text)).toBeUndefined();
  });

  it('of any instant lies inside the second, minute, day, month and year it is written with', () => {
    const instants = fc.date({ min: new Date('0001-01-02'), max: new Date('9998-12-30'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, (instant) => {
        const text = instant.toISOString();
        const lengths = [4, 7, 10].map((length) => text.slice(0, length));
        const texts = [...lengths, `${text.slice(0, 16)}Z`, `${text.slice(0, 19)}Z`, text];
        const intervals = texts.map((candidate) => dateInterval(candidate)!);
        for (const [n, { lo, hi }] of intervals.entries()) {
          expect(lo).toBeLessThanOrEqual(instant.getTime());
          expect(hi).toBeGreaterThan(instant.getTime());
          const finer = intervals[n + 1];
          if (finer) expect(lo <= finer.lo && finer.hi <= hi).toBe(true);
        }
      }),
    );
  });

  it('never throws, whatever is sent', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const interval = dateInterval(text);
        expect(interval === undefined || interval.lo < interval.hi).toBe(true);
      }),
    );
  });
});

describe('an element with a date', () => {
  it('of type Period without an end goes on', () => {
    expect(iso(elementInterval({ start: '2026-01-01' }))).toEqual([
      '2026-01-01T00:00:00.000Z',
      '9999-12-31T23:59:59.999Z',
    ]);
  });

  it('of type Timing counts by its outer limits', () => {
    expect(iso(elementInterval({ event: ['2026-01-05', '2026-01-01'] }))).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-06T00:00:00.000Z',
    ]);
    expect(iso(elementInterval({ repeat: { boundsPeriod: { start: '2026', end: '2027' } } }))).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2028-01-01T00:00:00.000Z',
    ]);
  });

  it('that says nothing has none', () => {
    expect(elementInterval({})).toBeUndefined();
    expect(elementInterval({ repeat: { frequency: 1 } })).toBeUndefined();
  });
});
