import fc from 'fast-check';
import { expect, test } from 'vitest';
import { delayMs, networkOf } from '../../src/access/throttle.ts';

test('an IPv6 address counts as its /64, however it is written', () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(groups, fc.boolean(), (address, zone) => {
      // An IPv4 address inside an IPv6 one is that IPv4 address: told apart below.
      fc.pre(!(address.slice(0, 5).every((group) => group === 0) && address[5] === 0xffff));
      const long = address.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':');
      const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
      const expected = address
        .slice(0, 4)
        .map((group) => group.toString(16))
        .join(':');
      expect(networkOf(long)).toBe(expected);
      expect(networkOf(`${short}${zone ? '%eth0' : ''}`)).toBe(expected);
    }),
  );
});

test('an IPv4 address counts as itself, also as a dual-stack socket names it', () => {
  expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::FFFF:192.0.2.7')).toBe('192.0.2.7');
});

test('the delay doubles from one second to a quarter of an hour and never falls', () => {
  expect([4, 5, 6, 7, 14, 15, 1_000_000].map((failures) => delayMs('account', failures) / 1000)).toEqual([
    0, 1, 2, 4, 512, 900, 900,
  ]);
  expect([30, 31, 32].map((failures) => delayMs('address', failures) / 1000)).toEqual([0, 1, 2]);
});
