import type { Encounter, Period, ServiceRequest } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../src/db/index.ts';
import { loadSearchDefinitions } from '../../../src/fhir/definitions/search-parameters.ts';
import { createFhirStore, type FhirStore } from '../../../src/fhir/index.ts';
import { dateInterval, elementInterval, type Interval } from '../../../src/fhir/search/dates.ts';
import { createMatcher } from '../../../src/fhir/search/match.ts';
import { createParameterRegistry } from '../../../src/fhir/search/parameters.ts';
import { interpretPath } from '../../../src/fhir/store/interpreter.ts';
import { testDatabase } from '../../support/database.ts';
import { contextOf } from '../store/context.ts';

/**
 * The meaning of the prefixes, written over sets of instants as the R4 specification words them: `above` and `below` are the
 * instants after and before the whole of the searched range.
 */
const meaning: Record<string, (target: Interval, search: Interval) => boolean> = {
  eq: (target, search) => contains(search, target),
  ne: (target, search) => !contains(search, target),
  gt: (target, search) => overlapsAbove(target, search),
  lt: (target, search) => overlapsBelow(target, search),
  ge: (target, search) => overlapsAbove(target, search) || contains(search, target),
  le: (target, search) => overlapsBelow(target, search) || contains(search, target),
  sa: (target, search) => target.lo >= search.hi,
  eb: (target, search) => target.hi <= search.lo,
};
const contains = (outer: Interval, inner: Interval) => outer.lo <= inner.lo && inner.hi <= outer.hi;
const overlapsAbove = (target: Interval, search: Interval) => target.hi > search.hi;
const overlapsBelow = (target: Interval, search: Interval) => target.lo < search.lo;

// Few distinct days, so that equal ends and nested ranges come up all the time.
const dates = fc.constantFrom(
  '2025',
  '2026',
  '2025-12',
  '2026-01',
  '2026-01-01',
  '2026-01-02',
  '2025-12-31',
  '2026-01-01T00:00:00Z',
  '2026-01-01T23:59:59Z',
  '2026-01-02T00:30:00+01:00',
  '2026-01-01T12:00:00.250Z',
);
const periods: fc.Arbitrary<Period> = fc.oneof(
  fc.record({ start: dates }),
  fc.record({ end: dates }),
  fc
    .tuple(dates, dates)
    .map(([a, b]) => (dateInterval(a)!.lo <= dateInterval(b)!.lo ? { start: a, end: b } : { start: b, end: a })),
);

let database: Database;
let store: FhirStore;
const targets: { id: string; period?: Period }[] = [];

beforeAll(async () => {
  database = await testDatabase();
  store = await createFhirStore({ database });
  const sample: (Period | undefined)[] = [...fc.sample(periods, { numRuns: 150, seed: 7 }), undefined];
  await store.transaction(contextOf('aa'), async (tx) => {
    for (const period of sample) {
      const made = await tx.create<Encounter>({
        resourceType: 'Encounter',
        status: 'finished',
        class: { code: 'AMB' },
        ...(period ? { period, location: [{ location: { reference: 'Location/1' }, period }] } : {}),
      });
      targets.push({ id: made.id, ...(period ? { period } : {}) });
    }
  });
});
afterAll(() => database.close());

// `date` has columns, `location-period` lives in the table of dates: both must mean the same.
it.each(['date', 'location-period'])(
  'the prefixes of %s mean what R4 says, for any pair of ranges',
  async (parameter) => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(meaning)), dates, async (prefix, date) => {
        const found = await store.search('aa', 'Encounter', `${parameter}=${prefix}${encodeURIComponent(date)}`);
        const search = dateInterval(date)!;
        const expected = targets.filter(({ period }) => period && meaning[prefix]!(elementInterval(period)!, search));
        expect(found.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort());
      }),
      { numRuns: 120 },
    );
  },
);

it('a resource without the date is found by no prefix, and by :missing alone', async () => {
  const [missing] = await store.search('aa', 'Encounter', 'date:missing=true');
  expect(missing?.period).toBeUndefined();
  expect(await store.search('aa', 'Encounter', 'date=ne1999')).toHaveLength(targets.length - 1);
});

it('sorts by a date in both directions, those without one last', async () => {
  const ascending = await store.search('aa', 'Encounter', '_sort=date');
  const descending = await store.search('aa', 'Encounter', '_sort=-date');
  expect(ascending.at(-1)?.period).toBeUndefined();
  expect(descending.at(-1)?.id).toBe(ascending.at(-1)?.id);
  expect(descending.slice(0, -1).map(({ id }) => id)).toEqual(
    ascending
      .slice(0, -1)
      .map(({ id }) => id)
      .reverse(),
  );
  const starts = ascending.slice(0, -1).map(({ period }) => elementInterval(period)!.lo);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});

/** A Timing and the naive span of it: from its first to its last moment, unbounded where its bounds are open. */
const timings = fc.oneof(
  fc.array(dates, { minLength: 1, maxLength: 3 }).map((event) => ({ occurrenceTiming: { event } })),
  periods.map((boundsPeriod) => ({ occurrenceTiming: { repeat: { boundsPeriod } } })),
  fc
    .tuple(dates, periods)
    .map(([event, boundsPeriod]) => ({ occurrenceTiming: { event: [event], repeat: { boundsPeriod } } })),
  fc.constant({ occurrenceTiming: { repeat: { frequency: 1, period: 1, periodUnit: 'd' as const } } }),
  periods.map((occurrencePeriod) => ({ occurrencePeriod })),
  dates.map((occurrenceDateTime) => ({ occurrenceDateTime })),
);

function naiveSpan({
  occurrenceTiming,
  occurrencePeriod,
  occurrenceDateTime,
}: Partial<ServiceRequest>): Interval | undefined {
  const bounds = occurrencePeriod ?? occurrenceTiming?.repeat?.boundsPeriod;
  const spans = [...(occurrenceTiming?.event ?? []), ...(occurrenceDateTime ? [occurrenceDateTime] : [])].map(
    (text) => dateInterval(text)!,
  );
  if (bounds) {
    spans.push({
      lo: bounds.start ? dateInterval(bounds.start)!.lo : Number.NEGATIVE_INFINITY,
      hi: bounds.end ? dateInterval(bounds.end)!.hi : Number.POSITIVE_INFINITY,
    });
  }
  if (spans.length === 0) return undefined;
  return { lo: Math.min(...spans.map(({ lo }) => lo)), hi: Math.max(...spans.map(({ hi }) => hi)) };
}

it('the prefixes mean the same of every form of a date, ap included, over SQL and in memory', async () => {
  const nowMs = Date.UTC(2026, 0, 11);
  const at = contextOf('timings', () => new Date(nowMs));
  const requests = fc.sample(timings, { numRuns: 120, seed: 11 }).map((content, n) => ({
    resourceType: 'ServiceRequest' as const,
    id: `r${n}`,
    status: 'active' as const,
    intent: 'order' as const,
    subject: { reference: 'Patient/1' },
    ...content,
  }));
  const approximately = (target: Interval, { lo, hi }: Interval) =>
    target.lo < hi + Math.abs(nowMs - hi) / 10 && target.hi > lo - Math.abs(nowMs - lo) / 10;
  const meanings = { ...meaning, ap: approximately };
  const matcher = createMatcher(
    { registry: createParameterRegistry(loadSearchDefinitions(), interpretPath) },
    () => new Date(nowMs),
  );
  await store.transaction(at, async (tx) => {
    for (const request of requests) await tx.create(request);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(meanings)), dates, async (prefix, date) => {
        const query = `occurrence=${prefix}${encodeURIComponent(date)}`;
        const expected = requests
          .filter((request) => {
            const span = naiveSpan(request);
            return span && meanings[prefix as keyof typeof meanings]!(span, dateInterval(date)!);
          })
          .map(({ id }) => id)
          .sort();
        const found = await tx.search('ServiceRequest', query);
        expect(found.map(({ id }) => id).sort()).toEqual(expected);
        expect(
          requests
            .filter(matcher('ServiceRequest', query))
            .map(({ id }) => id)
            .sort(),
        ).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });
});
