import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePlaced, decodeCursor, encodeCursor, type Placed } from '../../../src/teleradiology/worklist/cursor.ts';
import { firstOf } from '../../../src/teleradiology/worklist/merge.ts';
import {
  loadAtMostMinutes,
  loadMinutes,
  personalTerms,
  type Reader,
} from '../../../src/teleradiology/worklist/personal.ts';
import {
  ageAtMostMinutes,
  aiAtMostMinutes,
  type OpenCase,
  placeOf,
  stages,
} from '../../../src/teleradiology/worklist/place.ts';
import { poolOf, poolText } from '../../../src/teleradiology/worklist/pool.ts';

const start = Date.UTC(2026, 4, 12);
const minutes = (n: number) => n * 60_000;
const instant = fc.integer({ min: 0, max: 3 * 24 * 60 }).map((n) => new Date(start + minutes(n)));
const reference = fc.constantFrom('Practitioner/a', 'Practitioner/b', 'Practitioner/c');
const openCase: fc.Arbitrary<OpenCase> = fc
  .record(
    {
      caseId: fc.uuid(),
      urgent: fc.boolean(),
      stage: fc.constantFrom(...stages),
      kind: fc.constantFrom('teleradiology', 'teleexpertise'),
      receivedAt: instant,
      deadline: instant,
      establishment: fc.constantFrom('h1', 'h2'),
      specialty: fc.constantFrom('neuro', 'chest', 'general'),
      language: fc.constantFrom('fr', 'en'),
      holder: reference,
      firstReader: reference,
      aiScore: fc.integer({ min: 0, max: 100 }),
      aiWeightMinutes: fc.integer({ min: 0, max: 500 }),
    },
    {
      requiredKeys: [
        ...(['caseId', 'urgent', 'stage', 'kind', 'receivedAt', 'establishment', 'specialty', 'language'] as const),
        ...(['aiScore', 'aiWeightMinutes'] as const),
      ],
    },
  )
  .map((each) => each as OpenCase);
const reader: fc.Arbitrary<Reader> = fc.record({
  reference,
  reads: fc.boolean(),
  readsOnly: fc.boolean(),
  specialties: fc.subarray(['neuro', 'chest']).map((list) => new Set(list)),
  languages: fc.subarray(['en', 'de']).map((list) => new Set(list)),
  sites: fc.subarray(['h1', 'h2']).map((list) => new Set(list)),
  onDuty: fc.subarray(['h1', 'h2']).map((list) => new Set(list)),
  excluded: fc.subarray(['h1', 'h2']).map((list) => new Set(list)),
  kinds: fc.subarray(['teleradiology', 'teleexpertise']).map((list) => new Set(list)),
  expired: fc.boolean(),
  load: fc
    .dictionary(fc.constantFrom('h1', 'h2'), fc.integer({ min: -15, max: 15 }))
    .map((all) => new Map(Object.entries(all))),
});

/** Where a reader sees a case. */
function placed(open: OpenCase, who: Reader): Placed {
  const pool = poolOf(poolText(open));
  const terms = personalTerms(pool, open.holder === who.reference, who, (code) => code);
  const { urgencyClass, placeAt } = placeOf(open);
  const shift = terms.reduce((sum, term) => sum + term.minutes, 0);
  return { urgencyClass, at: placeAt.getTime() - minutes(shift), caseId: open.caseId, tenant: 'aa' };
}

const order = (cases: readonly OpenCase[], who: Reader): string[] =>
  cases
    .map((open) => placed(open, who))
    .sort(comparePlaced)
    .map(({ caseId }) => caseId);

describe('the place of a case', () => {
  it('is behind every urgent case for whoever is not urgent, whatever else is said of both', () => {
    fc.assert(
      fc.property(fc.array(openCase, { minLength: 2 }), reader, (cases, who) => {
        const urgent = order(cases, who).map((id) => cases.find((each) => each.caseId === id)!.urgent);
        expect(urgent).toEqual([...urgent].sort((a, b) => Number(b) - Number(a)));
      }),
    );
  });

  it('is not touched by an AI where the case is urgent, and only ever raised where it is not', () => {
    fc.assert(
      fc.property(
        fc.array(openCase, { minLength: 2 }),
        fc.nat(),
        fc.integer({ min: 0, max: 100 }),
        reader,
        (cases, n, score, who) => {
          const raised = cases[n % cases.length]!;
          const without = cases.map((each) => (each === raised ? { ...each, aiScore: 0 } : each));
          const with_ = cases.map((each) => (each === raised ? { ...each, aiScore: score } : each));
          const urgentOnly = (list: readonly OpenCase[]) =>
            order(list, who).filter((id) => cases.find((each) => each.caseId === id)!.urgent);
          expect(urgentOnly(with_)).toEqual(urgentOnly(without));
          const at = (list: readonly OpenCase[]) => order(list, who).indexOf(raised.caseId);
          expect(at(with_)).toBeLessThanOrEqual(at(without));
          if (raised.urgent) expect(at(with_)).toBe(at(without));
        },
      ),
    );
  });

  it('is moved by no term beyond its bound', () => {
    fc.assert(
      fc.property(openCase, (open) => {
        const { ageMinutes, aiMinutes, dueAt, placeAt } = placeOf(open);
        expect(ageMinutes).toBeGreaterThanOrEqual(0);
        expect(ageMinutes).toBeLessThanOrEqual(ageAtMostMinutes);
        expect(aiMinutes).toBeLessThanOrEqual(aiAtMostMinutes);
        const rounding = Math.abs(dueAt.getTime() - placeAt.getTime() - minutes(ageMinutes + aiMinutes));
        expect(rounding).toBeLessThanOrEqual(minutes(1) / 2);
      }),
    );
  });

  it('comes by what is due first, and of two cases due together by the older one', () => {
    const base = {
      urgent: false,
      stage: 'to-read',
      kind: 'teleradiology',
      establishment: 'h1',
      specialty: 'general',
      language: 'fr',
      aiScore: 0,
      aiWeightMinutes: 60,
    } as const;
    const at = (receivedHour: number, dueHour: number) =>
      placeOf({
        ...base,
        caseId: 'x',
        receivedAt: new Date(start + minutes(60 * receivedHour)),
        deadline: new Date(start + minutes(60 * dueHour)),
      }).placeAt;
    expect(at(0, 8).getTime()).toBeLessThan(at(0, 20).getTime());
    expect(at(1, 20).getTime()).toBeLessThan(at(9, 20).getTime());
  });

  it('of a case without a running delay is what is expected of such a case, sooner where it is urgent', () => {
    const base = {
      stage: 'waiting',
      kind: 'teleradiology',
      establishment: 'h1',
      specialty: 'general',
      language: 'fr',
      aiScore: 0,
      aiWeightMinutes: 60,
    } as const;
    const due = (urgent: boolean, stage: OpenCase['stage']) => {
      const place = placeOf({ ...base, caseId: 'x', urgent, stage, receivedAt: new Date(start) });
      expect(place.dueRuns).toBe(false);
      return (place.dueAt.getTime() - start) / minutes(1);
    };
    expect([due(true, 'waiting'), due(false, 'waiting'), due(false, 'to-protocol')]).toEqual([60, 1440, 30]);
  });
});

describe('what depends on the reader', () => {
  const who: Reader = {
    ...{
      reference: 'Practitioner/a',
      reads: true,
      readsOnly: true,
      specialties: new Set(['neuro']),
      languages: new Set(['en']),
    },
    ...{
      sites: new Set(['h1']),
      onDuty: new Set(['h2']),
      excluded: new Set<string>(),
      kinds: new Set(['teleradiology']),
      expired: false,
      load: new Map([['h1', -6]]),
    },
  };
  const codes = (text: string, mine = false, by: Reader = who) =>
    personalTerms(poolOf(text), mine, by, (code) => code).map(({ code }) => code);

  it('is named: sub-specialty, language, duty, hands, load, first reader, exclusion', () => {
    expect(codes('to-read|h1|neuro|fr||teleradiology')).toEqual(['sub-specialty', 'works-here', 'load']);
    expect(codes('to-read|h2|chest|en||teleradiology')).toEqual(['other-sub-specialty', 'language', 'on-duty-here']);
    expect(codes('waiting|h3|general|de||teleradiology')).toEqual([
      'waits-for-site',
      'other-sub-specialty',
      'other-language',
    ]);
    expect(codes('in-hand|h2|@|||teleradiology', true)).toEqual(['in-my-hands', 'on-duty-here']);
    expect(codes('in-hand|h2|@|||teleradiology')).toEqual(['in-other-hands', 'on-duty-here']);
    expect(codes('to-read|h2|@|||teleradiology', true)).toEqual(['assigned-to-me', 'on-duty-here']);
    expect(codes('to-second-read|h3|neuro|fr|Practitioner/a|teleradiology')).toEqual(['first-reader', 'sub-specialty']);
    expect(codes('to-read|h3|neuro|fr||teleradiology', false, { ...who, excluded: new Set(['h3']) })).toEqual([
      'may-not-read',
      'sub-specialty',
    ]);
    expect(codes('to-read|h3|neuro|fr||teleexpertise')).toEqual(['may-not-read', 'sub-specialty']);
    expect(codes('to-read|h3|neuro|fr||teleradiology', false, { ...who, expired: true })).toEqual([
      'may-not-read',
      'sub-specialty',
    ]);
  });

  it('is nothing for who does not read', () => {
    fc.assert(
      fc.property(openCase, reader, (open, each) => {
        expect(personalTerms(poolOf(poolText(open)), false, { ...each, reads: false }, String)).toEqual([]);
      }),
    );
  });

  it('weighs the cases in hand against those of the others on duty, within a bound', () => {
    expect(loadMinutes(0, [])).toBe(0);
    expect(loadMinutes(1, [1, 1])).toBe(0);
    expect(loadMinutes(0, [2, 4])).toBe(9);
    expect(loadMinutes(3, [1, 1])).toBe(-6);
    fc.assert(
      fc.property(fc.nat(500), fc.array(fc.nat(500)), (mine, others) => {
        expect(Math.abs(loadMinutes(mine, others))).toBeLessThanOrEqual(loadAtMostMinutes);
      }),
    );
  });
});

describe('the merge of pools', () => {
  it('gives the first rows of all in order, reading no more of a pool than is used up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(1000))),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 5 }),
        async (lists, count, chunk) => {
          const sorted = lists.map((list) =>
            list.map((value, n) => ({ value, n })).sort((a, b) => a.value - b.value || a.n - b.n),
          );
          const used = sorted.map(() => 0);
          const next = (index: number) => {
            const rows = sorted[index]!.slice(used[index], used[index]! + chunk);
            used[index]! += rows.length;
            return { rows, more: rows.length === chunk };
          };
          const streams = sorted.map((_, index) => next(index));
          const page = await firstOf(
            streams,
            count,
            (a, b) => a.value - b.value,
            async (indexes) => indexes.map(next),
          );
          const all = lists.flat().sort((a, b) => a - b);
          expect(page.rows.map(({ value }) => value)).toEqual(all.slice(0, count));
          if (all.length > count) expect(page.more).toBe(true);
        },
      ),
    );
  });
});

describe('a cursor', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.integer({ min: 0, max: 4e12 }),
        fc.uuid(),
        fc.integer({ min: -15, max: 15 }),
        (urgent, at, caseId, load) => {
          const cursor = {
            after: { urgencyClass: urgent ? (0 as const) : (1 as const), at, caseId, tenant: 'aa' },
            loads: { aa: { 'ch-exemple': load } },
          };
          expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
        },
      ),
    );
  });

  it('that was not made here is refused', () => {
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          expect(() => decodeCursor(text)).toThrow(expect.objectContaining({ status: 400 }));
        },
      ),
    );
    for (const value of [
      [2, 1, 'a', 'aa', {}],
      [0, 1e16, 'a', 'aa', {}],
      [0, 1, "a'", 'aa', {}],
      [0, 1, 'a', 'aa', { aa: { x: '1' } }],
    ])
      expect(() => decodeCursor(forged(value))).toThrow(expect.objectContaining({ status: 400 }));
  });
});
