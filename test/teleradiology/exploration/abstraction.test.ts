/** The exploration may forget only what changes nothing: a world and its shadow answer every call alike, and lead to the same worlds. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  decide,
  inHand,
  runningClocks,
  signedStates,
  stateDefinition,
  states,
  transitions,
} from '../../../src/teleradiology/case/index.ts';
import { actors, ways } from './calls.ts';
import { before, factsOf, forget, keyOf, type World, worldOf } from './worlds.ts';

const events = [...new Set(transitions.map(({ event }) => event))].filter(
  (event) => event !== 'advance' && event !== 'acknowledge',
);
const terms = fc.record({ flow4Expected: fc.boolean(), protocolRequired: fc.boolean(), imagesExpected: fc.boolean() });

const someWorld: fc.Arbitrary<World> = fc
  .record({
    state: fc.constantFrom(...states.map(({ code }) => code)),
    urgent: fc.boolean(),
    incomplete: fc.boolean(),
    question: fc.boolean(),
    cancellationAsked: fc.boolean(),
    protocolGiven: fc.boolean(),
    flow4: fc.boolean(),
    identity: fc.constantFrom('clear' as const, 'doubt', 'problem'),
    quarantined: fc.boolean(),
    images: fc.constantFrom('none' as const, 'arriving', 'first-quiet', 'quiet'),
    declaredComplete: fc.boolean(),
    clockStarted: fc.boolean(),
    twice: fc.boolean(),
    complement: fc.constantFrom('none' as const, 'required', 'done'),
    addendum: fc.constantFrom('none' as const, 'wanted', 'taken'),
    addendumOnRequest: fc.boolean(),
    secondReading: fc.constantFrom('none' as const, 'wanted', 'taken', 'done'),
    criticalOpen: fc.boolean(),
    acknowledged: fc.boolean(),
    errorDeclared: fc.boolean(),
  })
  .map((parts): World => {
    const signed = signedStates.includes(parts.state);
    const world: World = { ...before, ...parts, signed, billed: signed ? 1 : 0 };
    // Nothing is said back after the end but a critical result; what was open was dropped with it.
    if (stateDefinition(parts.state)?.final)
      return {
        ...before,
        ...parts,
        question: false,
        secondReading: 'none',
        addendum: 'none',
        addendumOnRequest: false,
      };
    const addendum = signed ? parts.addendum : 'none';
    return {
      ...world,
      question: parts.question && !signed,
      owner: signed || inHand.includes(parts.state) ? 'Practitioner/reader-1' : '',
      secondReader: parts.secondReading === 'taken' || parts.secondReading === 'done' ? 'Practitioner/reader-2' : '',
      addendum,
      addendumOnRequest: parts.addendumOnRequest && addendum !== 'none',
      addendumReader: addendum === 'taken' ? 'Practitioner/reader-3' : '',
    };
  });

it('forgets nothing that a row, a guard or a clock reads', () => {
  fc.assert(
    fc.property(terms, someWorld, (given, world) => {
      const [whole, shadow] = [factsOf(world, given), factsOf(forget(world), given)];
      if (world.state === 'none') return;
      expect(runningClocks(world.state, shadow)).toEqual(runningClocks(world.state, whole));
      for (const event of events)
        for (const actor of actors) {
          const shadows = ways(event, shadow);
          for (const [index, facts] of ways(event, whole).entries()) {
            const [one, other] = [facts, shadows[index]].map((each) => each && decide(world.state, event, actor, each));
            if (one === undefined || other === undefined) continue;
            if ('refusal' in one || 'refusal' in other) {
              expect('refusal' in other && other.refusal.guard).toBe('refusal' in one && one.refusal.guard);
              continue;
            }
            expect(other.decision.state).toBe(one.decision.state);
            expect(keyOf(worldOf(other.decision.state, other.decision.facts, 0))).toBe(
              keyOf(worldOf(one.decision.state, one.decision.facts, 0)),
            );
          }
        }
    }),
    { numRuns: 150 },
  );
});
