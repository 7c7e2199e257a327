import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expiryThresholdAt, thresholdsAhead } from '../../../src/teleradiology/people/expiry.ts';
import {
  credentialsOver,
  heldUntil,
  type Qualification,
  qualificationsOf,
  qualificationsWanting,
  requiredQualifications,
} from '../../../src/teleradiology/people/qualification.ts';

const at = (text: string): Date => new Date(text);
const all = (changes: Partial<Qualification> = {}): Qualification[] =>
  requiredQualifications.map((code) => (code === 'insurance' ? { code, ...changes } : { code }));

describe('qualifications of a Practitioner', () => {
  it('are those of our code system, valid through their last day in France', () => {
    const held = qualificationsOf({
      qualification: [
        { code: { coding: [{ system: 'https://mos.esante.gouv.fr/x', code: 'SM44' }] } },
        {
          code: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/qualification', code: 'insurance' }] },
          period: { start: '2026-01-01', end: '2026-12-31' },
        },
      ],
    });
    expect(held).toEqual([{ code: 'insurance', from: at('2025-12-31T23:00:00Z'), until: at('2026-12-31T23:00:00Z') }]);
  });

  it('may end with a month or a year', () => {
    const ending = (end: string) =>
      qualificationsOf({
        qualification: [
          {
            code: { coding: [{ system: 'https://fhir.passerelle.example/CodeSystem/qualification', code: 'diploma' }] },
            period: { end },
          },
        ],
      })[0]?.until?.toISOString();
    expect(ending('2026-10')).toBe('2026-10-31T23:00:00.000Z');
    expect(ending('2026')).toBe('2026-12-31T23:00:00.000Z');
    expect(ending('2026-11-22T10:00:00Z')).toBe('2026-11-22T10:00:00.000Z');
  });
});

describe('credentials', () => {
  it('are valid when all are held, expired when one was, missing when one never was', () => {
    const now = at('2026-11-22T12:00:00Z');
    expect(credentialsOver(all(), now)).toBe('valid');
    expect(credentialsOver(all({ until: now }), now)).toBe('expired');
    expect(credentialsOver(all({ from: at('2026-11-22T12:00:01Z') }), now)).toBe('expired');
    expect(credentialsOver(all().slice(1), now)).toBe('missing');
    expect(credentialsOver(all({ until: now }).slice(1), now)).toBe('expired');
    expect(credentialsOver([], now)).toBe('missing');
    expect(qualificationsWanting(all({ until: now }), now)).toEqual(['insurance']);
  });

  it('last through a shift only when no instant of it is without, whatever the order of renewals', () => {
    const [start, end] = [at('2026-12-31T19:00:00Z'), at('2027-01-01T07:00:00Z')];
    const midnight = at('2026-12-31T23:00:00Z');
    const old = { code: 'insurance', until: midnight } as const;
    const renewal = { code: 'insurance', from: midnight } as const;
    const others = all().filter(({ code }) => code !== 'insurance');
    expect(credentialsOver([...others, old], start, end)).toBe('expired');
    expect(credentialsOver([...others, renewal, old], start, end)).toBe('valid');
    const late = { code: 'insurance', from: at('2026-12-31T23:00:01Z') } as const;
    expect(credentialsOver([...others, old, late], start, end)).toBe('expired');
    expect(credentialsOver([...others, old], start, midnight)).toBe('valid');
  });

  it('over a stretch are valid exactly when they are at each of its instants', () => {
    const minute = (value: number) => new Date(value * 60_000);
    const certificate = fc
      .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 15 }))
      .map(([from, length]) => ({ code: 'insurance' as const, from: minute(from), until: minute(from + length) }));
    fc.assert(
      fc.property(
        fc.array(certificate, { maxLength: 5 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 10 }),
        (insurance, from, length) => {
          const held = [...all().filter(({ code }) => code !== 'insurance'), ...insurance];
          const each = Array.from({ length }, (_, index) => credentialsOver(held, minute(from + index)));
          const over = credentialsOver(held, minute(from), minute(from + length));
          expect(over === 'valid').toBe(each.every((state) => state === 'valid'));
        },
      ),
    );
  });
});

describe('what is held', () => {
  it('is held until the first of what was recorded ends; what never was recorded ends nothing', () => {
    const from = at('2026-11-22T12:00:00Z');
    const until = at('2026-11-23T00:00:00Z');
    expect(heldUntil([], from)).toBeUndefined();
    expect(heldUntil(all(), from)).toBeUndefined();
    expect(heldUntil(all({ until }), from)).toEqual(until);
    expect(heldUntil([...all({ until }), { code: 'insurance', from: until }], from)).toBeUndefined();
    expect(heldUntil(all({ until: from }), from)).toEqual(from);
  });
});

describe('alerts of a certificate', () => {
  it('fall due 60, 30 and 7 days of the calendar before its end, and at its end', () => {
    const until = at('2026-11-30T23:00:00Z');
    expect([60, 30, 7, 0].map((days) => expiryThresholdAt(until, days).toISOString())).toEqual([
      // Summer time still: midnight in France is two hours from Greenwich.
      '2026-10-01T22:00:00.000Z',
      '2026-10-31T23:00:00.000Z',
      '2026-11-23T23:00:00.000Z',
      '2026-11-30T23:00:00.000Z',
    ]);
  });

  it('that have passed when it is recorded are told once, the rest when they come', () => {
    const until = at('2026-12-12T23:00:00Z');
    const days = (now: string) => thresholdsAhead(until, at(now)).map((each) => each.days);
    expect(days('2026-01-01T00:00:00Z')).toEqual([60, 30, 7, 0]);
    expect(days('2026-11-22T00:00:00Z')).toEqual([30, 7, 0]);
    expect(days('2026-12-10T00:00:00Z')).toEqual([7, 0]);
    expect(days('2027-01-01T00:00:00Z')).toEqual([0]);
  });
});
