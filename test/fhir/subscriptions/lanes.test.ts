import { expect, test } from 'vitest';
import { createLanes, type Lane } from '../../../src/fhir/subscriptions/lanes.ts';

/** Lanes whose work ends when told, over a clock that moves when told. */
function rig() {
  const clock = { ms: 0 };
  const lanes = createLanes(() => clock.ms);
  const begun: string[] = [];
  const working = new Map<string, { end(hasMore?: boolean): void; isToLeave(): boolean }>();
  return {
    clock,
    lanes,
    begun,
    working,
    serve(owner: string, name: string, more: Partial<Lane> = {}) {
      const lane = { key: `${owner} ${name}`, owner, isFailing: false, ...more };
      lanes.serve(lane, (isToLeave) => {
        begun.push(lane.key);
        return new Promise((resolve) => {
          const end = (hasMore = false) => {
            working.delete(lane.key);
            resolve(hasMore);
          };
          working.set(lane.key, { end, isToLeave });
        });
      });
    },
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('nobody has all places, however many of their endpoints hang', () => {
  const { serve, working } = rig();
  for (let n = 0; n < 30; n++) serve('a', `${n}`);
  expect(working.size).toBe(4);
  serve('b', 'one');
  expect(working.has('b one')).toBe(true);
  for (const owner of ['c', 'd', 'e', 'f']) for (let n = 0; n < 9; n++) serve(owner, `${n}`);
  expect(working.size).toBe(16);
});

test('what failed last time leaves places to what its owner has that works', () => {
  const { serve, working } = rig();
  for (let n = 0; n < 9; n++) serve('a', `dead ${n}`, { isFailing: true });
  expect(working.size).toBe(2);
  serve('a', 'live');
  expect(working.has('a live')).toBe(true);
});

test('each gets its turn in the order they came, and who works long goes behind who waits', async () => {
  const { serve, working, begun, clock, lanes } = rig();
  for (let n = 0; n < 5; n++) serve('a', `${n}`);
  const first = working.get('a 0')!;
  expect(first.isToLeave()).toBe(false);
  clock.ms = 5_001;
  expect(first.isToLeave()).toBe(true);
  first.end(true);
  await turn();
  expect(begun).toEqual(['a 0', 'a 1', 'a 2', 'a 3', 'a 4']);
  let isOver = false;
  const settled = lanes.settled().then(() => {
    isOver = true;
  });
  working.get('a 1')!.end();
  await turn();
  // What it had left is not forgotten; nobody waits any more.
  expect(begun.at(-1)).toBe('a 0');
  clock.ms = 20_000;
  expect(working.get('a 0')!.isToLeave()).toBe(false);
  for (const { end } of [...working.values()].slice(1)) end();
  await turn();
  expect(isOver).toBe(false);
  for (const { end } of [...working.values()]) end();
  await settled;
});

test('asked for while it is worked on, it is worked on once more', async () => {
  const { serve, working, begun, lanes } = rig();
  serve('a', 'x');
  serve('a', 'x');
  serve('a', 'x');
  working.get('a x')!.end();
  await turn();
  expect(begun).toEqual(['a x', 'a x']);
  working.get('a x')!.end();
  await lanes.settled();
  expect(begun).toHaveLength(2);
});
