/**
 * The proof of the case machine (issue 5 §2): every world it can reach under these terms, every event by everybody, every change around it,
 * every point of each running clock. What a world is, and what is left out of it, is said in worlds.ts; the terms left out here and faults
 * by all that is open on a case are explored in test/long.
 */
import { describe, expect, it } from 'vitest';
import { decide, roles, type Transition, transitions } from '../../../src/teleradiology/case/index.ts';
import { graphInvariants, takenInvariants, worldInvariants } from '../../../src/teleradiology/case/invariants.ts';
import { actors, ways } from './calls.ts';
import { explore } from './explore.ts';
import { deadEnds, endlessClocks, report } from './graph.ts';
import { before, factsOf, type Terms } from './worlds.ts';

const allTerms: readonly Terms[] = [
  { flow4Expected: true, protocolRequired: true, imagesExpected: true },
  { flow4Expected: false, protocolRequired: false, imagesExpected: true },
  { flow4Expected: false, protocolRequired: true, imagesExpected: false },
];

describe('the case machine, explored world by world', () => {
  const taken = new Set<Transition>();
  const reached = new Set<string>();

  for (const terms of allTerms)
    it(`keeps every invariant with ${Object.entries(terms)
      .map(([name, value]) => `${name} ${value ? 'on' : 'off'}`)
      .join(', ')}`, () => {
      // What the terms do not change is explored under one of them each; test/long has it under all.
      const graph = explore(terms, { fine: false, errors: terms === allTerms[0], doubts: terms === allTerms[1] });
      console.info(report(graph));
      expect([...graph.violations]).toEqual([]);
      expect(graph.worlds.filter(({ billed }) => billed === 2)).toEqual([]);
      expect(deadEnds(graph)).toEqual([]);
      expect(endlessClocks(graph)).toEqual([]);
      expect(graph.worlds.length).toBeGreaterThan(10_000);
      expect(graph.counts.refused).toBeGreaterThan(100_000);
      for (const row of graph.taken) taken.add(row);
      for (const row of graph.taken) if (row.to !== 'same') reached.add(row.to);
      // Computed, not waited for: 20 s alone, five times as long beside others.
    }, 300_000);

  it('takes every row of the table and reaches every state', () => {
    expect(transitions.filter((row) => !taken.has(row))).toEqual([]);
    expect(transitions.filter((row) => row.to !== 'same' && !reached.has(row.to))).toEqual([]);
    console.info(
      `case machine: ${reached.size} states, ${transitions.length} rows, all taken; ` +
        `${worldInvariants.length + takenInvariants.length + graphInvariants.length} invariants`,
    );
  });

  it('refuses by its state every event of which the table has no row from there, whoever raises it', () => {
    const facts = factsOf(before, allTerms[0] as Terms);
    const events = [...new Set(transitions.map(({ event }) => event))];
    const states = ['none', ...new Set(transitions.flatMap(({ from }) => from))] as Transition['from'];
    for (const state of states)
      for (const event of events.filter(
        (each) => !transitions.some((row) => row.event === each && row.from.includes(state)),
      ))
        for (const actor of actors)
          for (const given of ways(event, facts))
            expect(decide(state, event, actor, given)).toMatchObject({ refusal: { guard: 'state' } });
  });

  it('knows every role', () => {
    expect(new Set(actors.flatMap((actor) => actor.roles))).toEqual(new Set(roles));
  });
});
