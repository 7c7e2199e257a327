import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLoop } from '../../src/config/index.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Rounds that end when the test says so. */
function rounds() {
  const open: { end(): void; fail(): void }[] = [];
  const failures: unknown[] = [];
  const round = () =>
    new Promise<void>((resolve, reject) => open.push({ end: resolve, fail: () => reject(new Error('x')) }));
  return { open, failures, round, onFailure: (error: unknown) => void failures.push(error) };
}
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

test('one round at a time, the next one a pause after the end of the last', async () => {
  const { open, round, onFailure } = rounds();
  const loop = createLoop({ everyMs: 100, round, onFailure });
  loop.start();
  await pass(99);
  expect(open).toHaveLength(0);
  await pass(1_000);
  expect(open).toHaveLength(1);
  open[0]?.end();
  await pass(99);
  expect(open).toHaveLength(1);
  await pass(1);
  expect(open).toHaveLength(2);
  const stopped = loop.stop();
  open[1]?.end();
  await stopped;
  await pass(1_000);
  expect(open).toHaveLength(2);
});

test('who wakes it gets a round of its own, even while one is under way', async () => {
  const { open, round, onFailure } = rounds();
  const loop = createLoop({ everyMs: 0, round, onFailure });
  loop.wake();
  await pass(10);
  expect(open).toHaveLength(0);
  loop.start('at once');
  await pass(1);
  expect(open).toHaveLength(1);
  loop.wake();
  loop.wake();
  await pass(10);
  expect(open).toHaveLength(1);
  open[0]?.end();
  await pass(1);
  expect(open).toHaveLength(2);
  open[1]?.end();
  await pass(10_000);
  expect(open).toHaveLength(2);
  await loop.stop();
});

test('failures double the pause up to its limit, a success makes it short again', async () => {
  const { open, failures, round, onFailure } = rounds();
  const loop = createLoop({ everyMs: 100, longestMs: 300, round, onFailure });
  loop.start('at once');
  await pass(1);
  for (const [index, pause] of [200, 300, 300].entries()) {
    open[index]?.fail();
    await pass(pause - 1);
    expect(open).toHaveLength(index + 1);
    await pass(1);
    expect(open).toHaveLength(index + 2);
  }
  expect(failures).toHaveLength(3);
  open[3]?.end();
  await pass(100);
  expect(open).toHaveLength(5);
  open[4]?.end();
  await loop.stop();
});

test('a stop is told to the round under way', async () => {
  let seen: boolean[] = [];
  const loop = createLoop({
    everyMs: 1,
    async round(isStopped) {
      seen = [isStopped()];
      await new Promise((resolve) => setTimeout(resolve, 50));
      seen.push(isStopped());
    },
    onFailure: () => undefined,
  });
  loop.start('at once');
  await pass(1);
  const stopped = loop.stop();
  await pass(50);
  await stopped;
  expect(seen).toEqual([false, true]);
});
