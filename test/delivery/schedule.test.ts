import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newItemId } from '../../src/delivery/item-id.ts';
import { backOffMs, firstBackOffMs, jitterShare, longestBackOffMs } from '../../src/delivery/schedule.ts';

test('the wait grows with every attempt, never passes the cap and never falls under a fifth less', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempts, random) => {
        const wait = backOffMs(attempts, random);
        const full = backOffMs(attempts, 0);
        expect(full).toBeGreaterThanOrEqual(backOffMs(Math.max(1, attempts - 1), 0));
        expect(full).toBeLessThanOrEqual(longestBackOffMs);
        expect(full).toBeGreaterThanOrEqual(firstBackOffMs);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(full * (1 - jitterShare)));
      },
    ),
  );
});

test('ids are 20 capitals and digits and do not repeat', () => {
  const ids = new Set(Array.from({ length: 10_000 }, newItemId));
  expect(ids.size).toBe(10_000);
  for (const id of ids) expect(id).toMatch(/^[0-9A-Z]{20}$/);
});
