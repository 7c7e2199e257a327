import { expect, it } from 'vitest';
import { inTurns, mapInTurns } from '../../../src/fhir/store/in-turns.ts';

const busyMs = 1;
const work = (n: number) => {
  const end = performance.now() + busyMs;
  while (performance.now() < end);
  return n * 2;
};

it('hears others between the parts of one work, however few items each part has', async () => {
  let heard = 0;
  const arrive = (): unknown => setImmediate(() => ++heard < 100 && arrive());
  arrive();
  const othersHeard = inTurns();
  const made: number[] = [];
  for (let n = 0; n < 20; n++) made.push(...(await mapInTurns([n], work, othersHeard)));
  expect(made).toEqual(Array.from({ length: 20 }, (_, n) => n * 2));
  expect(heard).toBeGreaterThanOrEqual(3);
});
