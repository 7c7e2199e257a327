import { expect, it } from 'vitest';
import { addressKey } from '../../../src/access/limits/address-key.ts';
import { createConcurrency } from '../../../src/access/limits/concurrency.ts';
import { createBuckets } from '../../../src/access/limits/token-bucket.ts';

it('a bucket gives its burst at once, then as fast as it is refilled, each key on its own', () => {
  let now = 0;
  const buckets = createBuckets({ perSecond: 2, burst: 3 }, () => now);
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([true, true, true, false]);
  expect(buckets.take('b')).toBe(true);
  now += 499;
  expect(buckets.take('a')).toBe(false);
  now += 1;
  expect(buckets.take('a')).toBe(true);
  now += 3_600_000;
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([true, true, true, false]);
});

it('a million strangers do not fill the memory, and the one who asks again is still known', () => {
  const buckets = createBuckets({ perSecond: 1, burst: 1 }, () => 0);
  for (let stranger = 0; stranger < 200_000; stranger++) {
    buckets.take(`s${stranger}`);
    if (stranger % 1_000 === 0) buckets.take('regular');
  }
  expect(buckets.take('regular')).toBe(false);
  expect(buckets.take('s0')).toBe(true);
});

it('places are given back once', () => {
  const concurrency = createConcurrency(2);
  const first = concurrency.enter('a')!;
  expect(concurrency.enter('a')).toBeDefined();
  expect(concurrency.enter('a')).toBeUndefined();
  expect(concurrency.enter('b')).toBeDefined();
  first();
  first();
  expect(concurrency.enter('a')).toBeDefined();
  expect(concurrency.enter('a')).toBeUndefined();
});

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s counts as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});
