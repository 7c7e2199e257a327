import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../support/world.ts';
import { emptyTally, histories, run, tallyText } from './history.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

it('keeps the invariants of the machine on stored cases, through crashes, repeats, restarts and racing sweeps', async () => {
  const tally = emptyTally();
  await fc.assert(
    fc.asyncProperty(histories(24), (history) => run(world, history, tally)),
    { numRuns: 10, interruptAfterTimeLimit: 20_000, endOnFailure: true },
  );
  console.info(tallyText(tally));
  expect(tally.checked).toBeGreaterThan(500);
  expect(tally.aborted).toBeGreaterThan(0);
}, 60_000);
