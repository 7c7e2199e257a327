/** The case machine deeper than the suite has time for: every set of terms, faults by all that is open on a case; longer and more histories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explore } from '../teleradiology/exploration/explore.ts';
import { deadEnds, endlessClocks, report } from '../teleradiology/exploration/graph.ts';
import { emptyTally, histories, run, tallyText } from '../teleradiology/histories/history.ts';
import { createWorld } from '../teleradiology/support/world.ts';

const switches = [true, false];

describe('every world of the case machine', () => {
  for (const flow4Expected of switches)
    for (const protocolRequired of switches)
      for (const imagesExpected of switches)
        it(`with flow 4 ${flow4Expected}, protocol ${protocolRequired}, images ${imagesExpected}`, () => {
          // Declared errors and doubts change nothing of the terms: both under one set of them, one of them under two others each.
          const both = flow4Expected && protocolRequired && imagesExpected;
          const graph = explore(
            { flow4Expected, protocolRequired, imagesExpected },
            {
              fine: true,
              errors: both || (flow4Expected && !protocolRequired),
              doubts: both || (!flow4Expected && protocolRequired),
            },
          );
          console.info(report(graph));
          expect([...graph.violations]).toEqual([]);
          expect(graph.worlds.filter(({ billed }) => billed === 2)).toEqual([]);
          expect(deadEnds(graph)).toEqual([]);
          expect(endlessClocks(graph)).toEqual([]);
        });
});

it('long histories keep the invariants on stored cases', async () => {
  const world = await createWorld();
  const tally = emptyTally();
  await fc.assert(
    fc.asyncProperty(histories(60), (history) => run(world, history, tally)),
    { numRuns: 150, interruptAfterTimeLimit: 240_000, endOnFailure: true },
  );
  console.info(tallyText(tally));
  expect(tally.checked).toBeGreaterThan(10_000);
  await world.close();
});
