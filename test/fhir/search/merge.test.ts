import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePlaces, mergeRows, type SortOrder } from '../../../src/fhir/search/merge.ts';

const byTextThenId: SortOrder[] = [
  { type: 'text', descending: true },
  { type: 'text', descending: true },
];
const time: SortOrder[] = [{ type: 'timestamptz', descending: false }];

describe('pages of several searches', () => {
  it('are one walk through all rows, in their order and each once', () => {
    const place = fc.tuple(
      fc.option(fc.constantFrom('a', 'b', 'é', '𝄞')),
      fc.constantFrom('1', '2', '3', '4', '5', '6'),
    );
    const source = fc.uniqueArray(place, { selector: ([, id]) => id, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(source, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 7 }),
        (sources, count) => {
          const sorted = sources.map((rows, tenant) =>
            rows
              .map((one) => ({ row: `${tenant} ${one}`, place: one }))
              .sort((a, b) => comparePlaces(a.place, b.place, byTextThenId)),
          );
          const seen: string[] = [];
          let after: readonly (string | null)[] | undefined;
          do {
            const pages = sorted.map((rows) => {
              const beyond = rows.filter(({ place: at }) => !after || comparePlaces(at, after, byTextThenId) > 0);
              return { rows: beyond.slice(0, count), hasMore: beyond.length > count };
            });
            const { rows, next } = mergeRows(pages, byTextThenId, count);
            seen.push(...rows);
            after = next;
          } while (after);
          const all = sorted.flat().sort((a, b) => comparePlaces(a.place, b.place, byTextThenId));
          expect(seen).toEqual(all.map(({ row }) => row));
        },
      ),
    );
  });

  it('compare instants by what they are, whatever their offset and precision', () => {
    const order = [
      '-infinity',
      '2026-10-25 02:30:00+02',
      '2026-10-25 00:30:00.5+00',
      '2026-10-25 02:30:00+01',
      '2026-10-25 01:30:00.000001+00',
      '10000-01-01 00:00:00+00',
    ];
    for (const [index, earlier] of order.entries())
      for (const later of order.slice(index + 1)) {
        expect(comparePlaces([earlier], [later], time)).toBeLessThan(0);
        expect(comparePlaces([later], [earlier], time)).toBeGreaterThan(0);
      }
    expect(comparePlaces(['2026-10-25 02:30:00+02'], ['2026-10-25 00:30:00+00'], time)).toBe(0);
  });

  it('have what is missing last, ascending and descending', () => {
    for (const descending of [true, false])
      expect(comparePlaces([null], ['x'], [{ type: 'text', descending }])).toBeGreaterThan(0);
  });
});
