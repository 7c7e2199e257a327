/** A secret spares its hash for a few seconds, and is gone after them. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSecretKeys } from '../../src/access/secret-keys.ts';

const hash = vi.fn((secret: string) => Buffer.from(`hash of ${secret}`));
beforeEach(() => {
  vi.useFakeTimers();
  hash.mockClear();
});
afterEach(() => void vi.useRealTimers());

test('a secret is hashed once in five seconds, and again after them', () => {
  const keyOf = createSecretKeys(5_000, hash);
  const first = keyOf('bearer', 'abc');
  vi.advanceTimersByTime(4_999);
  expect(keyOf('bearer', 'abc')).toBe(first);
  expect(hash).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(keyOf('bearer', 'abc')).toBe(first);
  expect(hash).toHaveBeenCalledTimes(2);
  // The second stay has its own end, counted from when it began.
  vi.advanceTimersByTime(5_000);
  keyOf('bearer', 'abc');
  expect(hash).toHaveBeenCalledTimes(3);
});

test('no secret stays longer because others come', () => {
  const keyOf = createSecretKeys(5_000, hash);
  for (let second = 0; second < 5; second++) {
    keyOf('bearer', `secret ${second}`);
    vi.advanceTimersByTime(1_000);
  }
  hash.mockClear();
  for (let second = 0; second < 5; second++) keyOf('bearer', `secret ${second}`);
  expect(hash).toHaveBeenCalledTimes(5);
});

test('the same secret of two kinds has two keys, and a long one is not kept', () => {
  const keyOf = createSecretKeys(5_000, hash);
  expect(keyOf('bearer', 'abc')).not.toBe(keyOf('cookie', 'abc'));
  hash.mockClear();
  const long = 'x'.repeat(300);
  expect(keyOf('bearer', long)).toBe(keyOf('bearer', long));
  expect(hash).toHaveBeenCalledTimes(2);
});

test('more than a thousand secrets push the first ones out', () => {
  const keyOf = createSecretKeys(5_000, hash);
  for (let n = 0; n <= 1_000; n++) keyOf('bearer', `secret ${n}`);
  hash.mockClear();
  keyOf('bearer', 'secret 1000');
  expect(hash).not.toHaveBeenCalled();
  keyOf('bearer', 'secret 0');
  expect(hash).toHaveBeenCalledOnce();
});
