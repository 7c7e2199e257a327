import { expect, it } from 'vitest';
import { passTime } from '../../src/cli/moved-clock.ts';
import { acceleratedClock } from '../../src/config/index.ts';

const stopped = { now: () => new Date(0) };
const start = new Date('2027-01-13T02:00:00Z');

/** Instants at which what fell due is raised, when the clock is moved on by so many minutes. */
async function raisedAt(minutes: number): Promise<string[]> {
  const clock = acceleratedClock(start, 1, stopped);
  const raised: string[] = [];
  await passTime(clock, new Date(start.getTime() + minutes * 60_000), async () =>
    raised.push(clock.now().toISOString()),
  );
  return raised;
}

it('lets the time pass step by step, and raises what falls due on the way', async () => {
  expect(await raisedAt(2.5)).toEqual([
    '2027-01-13T02:01:00.000Z',
    '2027-01-13T02:02:00.000Z',
    '2027-01-13T02:02:30.000Z',
  ]);
  const night = await raisedAt(12 * 60);
  expect(night).toHaveLength(60);
  expect(night[0]).toBe('2027-01-13T02:12:00.000Z');
  expect(night.at(-1)).toBe('2027-01-13T14:00:00.000Z');
});

it('does nothing when the instant has passed', async () => {
  expect(await raisedAt(0)).toEqual([]);
  expect(await raisedAt(-30)).toEqual([]);
});
