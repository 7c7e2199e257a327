import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CaseActor,
  type CaseEvent,
  type CaseState,
  decide,
  type Facts,
  imagesComplete,
  legalEvents,
  type Origin,
  openStates,
  roles,
  signedStates,
  stateDefinition,
  states,
  transitions,
  unquestioned,
} from '../../src/teleradiology/case/index.ts';

const owner = 'Practitioner/owner';
const good: Facts = {
  readers: ['radiologist'],
  imagesExpected: true,
  missing: [],
  question: false,
  cancellationAsked: false,
  reader: unquestioned,
  credentialsRequired: false,
  dutyRequired: false,
  secondReadingRequired: false,
  secondReading: 'none',
  complement: 'none',
  addendum: 'none',
  critical: 'none',
  live: true,
  flow4Expected: true,
  protocolRequired: true,
  urgent: true,
  owner,
  placerNumber: true,
  consent: 'given',
  protocolGiven: false,
  flow4: true,
  identityProblem: false,
  quarantined: false,
  images: {
    instances: 30,
    quiet: true,
    firstSeriesQuiet: true,
    missingStudies: 0,
    declaredComplete: false,
    provisional: false,
    notDisplayed: 0,
  },
  phoneExchange: true,
  report: 'draft',
  reportAcknowledged: false,
  clockStarted: true,
  milestones: [],
  input: {
    reason: 'motif',
    protocols: ['protocole'],
    summary: 'résumé',
    reportComplete: true,
    secondPerson: 'Practitioner/second',
    question: 'Créatinine ?',
    answer: '80 µmol/L',
    reader: 'Practitioner/other',
    opinion: 'Concordant.',
    agrees: true,
    finding: 'Hématome sous-dural.',
    readBack: 'Hématome sous-dural.',
  },
};

/** Every fact on its own turned to its other values, from a case where all is well and from one where nothing is there yet. */
function variations(base: Facts): Facts[] {
  const images = (change: Partial<Facts['images']>): Facts => ({ ...base, images: { ...base.images, ...change } });
  return [
    base,
    { ...base, live: !base.live },
    { ...base, flow4Expected: !base.flow4Expected },
    { ...base, protocolRequired: !base.protocolRequired },
    { ...base, urgent: !base.urgent },
    { ...base, owner: base.owner === undefined ? owner : undefined },
    { ...base, placerNumber: !base.placerNumber },
    ...(['given', 'emergency', 'missing', 'refused'] as const).map((consent) => ({ ...base, consent })),
    { ...base, protocolGiven: !base.protocolGiven },
    { ...base, flow4: !base.flow4 },
    { ...base, identityProblem: !base.identityProblem },
    { ...base, quarantined: !base.quarantined },
    images({ instances: 0, quiet: false, firstSeriesQuiet: false }),
    images({ quiet: false }),
    images({ quiet: false, firstSeriesQuiet: false }),
    images({ missingStudies: 1 }),
    images({ declaredComplete: true }),
    images({ provisional: true }),
    images({ notDisplayed: 2 }),
    { ...base, phoneExchange: !base.phoneExchange },
    ...(['none', 'draft', 'final'] as const).map((report) => ({ ...base, report })),
    { ...base, reportAcknowledged: true },
    { ...base, report: 'final', reportAcknowledged: true },
    { ...base, clockStarted: !base.clockStarted },
    { ...base, input: {} },
    { ...base, input: { ...base.input, reportComplete: false } },
  ];
}

const nothing: Facts = {
  ...good,
  owner: undefined,
  flow4: false,
  images: { ...good.images, instances: 0, quiet: false, firstSeriesQuiet: false },
  phoneExchange: false,
  report: 'none',
  clockStarted: false,
};
const worlds = [...variations(good), ...variations(nothing)];
const events = [...new Set(transitions.map((row) => row.event))];
const origins: Origin[] = ['none', ...states.map((state) => state.code)];
const actors: CaseActor[] = [
  ...roles.map(
    (role): CaseActor => ({
      reference: `Practitioner/${role}`,
      roles: [role],
      kind: role === 'system' ? 'system' : role === 'ris' || role === 'conformance' ? 'machine' : 'person',
    }),
  ),
  { reference: owner, roles: ['radiologist'], kind: 'person' },
];

interface Taken {
  from: Origin;
  event: CaseEvent;
  actor: CaseActor;
  facts: Facts;
  /** Facts as the decision left them. */
  after: Facts;
  to: CaseState;
  effects: readonly string[];
  steps: readonly { from: Origin; to: CaseState; event: CaseEvent }[];
}

const explored = (() => {
  const taken: Taken[] = [];
  let refused = 0;
  for (const from of origins)
    for (const event of events)
      for (const actor of actors)
        for (const facts of worlds) {
          const result = decide(from, event, actor, facts);
          if ('refusal' in result) refused++;
          else
            taken.push({
              from,
              event,
              actor,
              facts,
              after: result.decision.facts,
              to: result.decision.state,
              effects: result.decision.effects,
              steps: result.decision.steps,
            });
        }
  return { taken, refused };
})();

describe('the case machine, explored state by event by actor by facts', () => {
  it('decides or refuses everything, and prints how much that is', () => {
    const { taken, refused } = explored;
    const cases = origins.length * events.length * actors.length * worlds.length;
    expect(taken.length + refused).toBe(cases);
    console.info(
      `case machine: ${states.length} states, ${transitions.length} rows, ${cases} combinations, ${taken.length} legal, ${refused} refused`,
    );
    expect(taken.length).toBeGreaterThan(1_000);
    expect(refused).toBeGreaterThan(taken.length);
  });

  it('takes only steps that are rows of the table', () => {
    for (const { steps } of explored.taken)
      for (const step of steps)
        expect(
          transitions.some(
            (row) =>
              row.event === step.event &&
              row.from.includes(step.from) &&
              (row.to === step.to || (row.to === 'same' && step.from === step.to)),
          ),
        ).toBe(true);
  });

  it('leaves every state that is not final, and no final one', () => {
    for (const { code, final } of states) {
      const ways = transitions.filter((row) => row.from.includes(code) && row.to !== code && row.to !== 'same');
      if (final) expect(ways, code).toHaveLength(0);
      else expect(ways.length, code).toBeGreaterThan(0);
    }
    expect(explored.taken.filter(({ from }) => from !== 'none' && stateDefinition(from)?.final)).toHaveLength(0);
  });

  it('lets people or the platform end every open state by something that is offered', () => {
    for (const code of openStates.filter((state) => state !== 'sent')) {
      const ways = transitions.filter(
        (row) => row.from.includes(code) && row.to !== 'same' && row.to !== code && row.via.length > 0,
      );
      if (code !== 'preliminary' && code !== 'second-reading') expect(ways.length, code).toBeGreaterThan(0);
    }
  });

  it('reaches every state from nothing', () => {
    const reached = new Set<Origin>(['none']);
    for (let grown = true; grown; ) {
      grown = false;
      for (const row of transitions)
        if (row.to !== 'same' && !reached.has(row.to) && row.from.some((from) => reached.has(from))) {
          reached.add(row.to);
          grown = true;
        }
    }
    expect([...reached].sort()).toEqual([...origins].sort());
  });

  it('never signs without consent, identity, images, phone exchange when urgent, four chapters, and a human owner', () => {
    const signed = explored.taken.filter(({ event }) => event === 'sign');
    expect(signed.length).toBeGreaterThan(0);
    for (const { actor, facts } of signed) {
      expect(actor).toMatchObject({ reference: facts.owner, kind: 'person' });
      expect(['given', 'emergency']).toContain(facts.consent);
      expect(facts.identityProblem || facts.quarantined || facts.images.provisional).toBe(false);
      expect(!facts.urgent || facts.phoneExchange).toBe(true);
      expect(facts.input.reportComplete).toBe(true);
      expect(facts.images.instances).toBeGreaterThan(0);
      expect(imagesComplete(facts) && facts.images.notDisplayed === 0).toBe(true);
    }
  });

  it('delivers no report that is not signed, and only on an acknowledgement', () => {
    const delivered = explored.taken.filter(
      ({ from, to }) => to === 'delivered' && from !== 'delivered' && from !== 'addendum',
    );
    expect(delivered.length).toBeGreaterThan(0);
    for (const { after } of delivered) expect(after).toMatchObject({ report: 'final', reportAcknowledged: true });
  });

  it('cancels nothing once flow 4 is there, and nothing that is being read', () => {
    const cancelled = explored.taken.filter(({ to, from }) => to === 'cancelled' && from !== 'cancelled');
    expect(cancelled.length).toBeGreaterThan(0);
    for (const { facts, from } of cancelled) {
      expect(facts.flow4).toBe(false);
      expect(['reading', 'suspended', 'preliminary', 'second-reading', ...signedStates]).not.toContain(from);
    }
  });

  it('lets nobody read a case without consent, in quarantine, held, or already in hand', () => {
    const claimed = explored.taken.filter(({ event }) => event === 'claim');
    expect(claimed.length).toBeGreaterThan(0);
    for (const { facts } of claimed) {
      expect(facts.owner).toBeUndefined();
      expect(facts.identityProblem || facts.quarantined).toBe(false);
      expect(['given', 'emergency']).toContain(facts.consent);
    }
  });

  it('makes ready only what is readable and has no identity problem', () => {
    for (const { steps, facts, event } of explored.taken) {
      if (!steps.some((step) => step.event === 'advance' && step.to === 'ready')) continue;
      const seen = {
        ...facts,
        images: { ...facts.images, declaredComplete: facts.images.declaredComplete || event === 'complete-images' },
        flow4: facts.flow4 || event === 'complete-exam',
      };
      expect(imagesComplete(seen) || (facts.urgent && facts.images.firstSeriesQuiet)).toBe(true);
      expect(facts.identityProblem || facts.quarantined).toBe(false);
    }
  });

  it('forgets the due times of a case that ends', () => {
    for (const { from, to, effects } of explored.taken)
      if (stateDefinition(to)?.final && from !== to) expect(effects, `${from} → ${to}`).toContain('forget-due-times');
  });

  it('gives an auditor and an administrator nothing to do', () => {
    for (const { actor } of explored.taken)
      expect(actor.roles.some((role) => role === 'auditor' || role === 'administrator')).toBe(false);
  });

  it('answers a lost claim by 409, a wrong role by 403, an illegal event by 422 with what is legal', () => {
    const reader: CaseActor = { reference: 'Practitioner/x', roles: ['radiologist'], kind: 'person' };
    expect(decide('reading', 'claim', reader, good)).toMatchObject({ refusal: { status: 409 } });
    expect(decide('reading', 'claim', { ...reader, reference: owner }, good)).toMatchObject({
      refusal: { status: 409 },
    });
    expect(decide('protocol-wanted', 'protocol', { ...reader, roles: ['requester'] }, good)).toMatchObject({
      refusal: { status: 403, guard: 'role' },
    });
    const early = decide('protocol-wanted', 'sign', reader, nothing);
    expect(early).toMatchObject({ refusal: { status: 422, guard: 'state' } });
    expect('refusal' in early && early.refusal.legal).toEqual(expect.arrayContaining(['protocol', 'refuse']));
  });

  it('names as legal exactly what it would not refuse for the case itself', () => {
    for (const state of states.map((each) => each.code))
      for (const actor of actors)
        for (const facts of [good, nothing, { ...nothing, flow4: true }])
          for (const event of legalEvents(state, actor, facts)) {
            const result = decide(state, event, actor, {
              ...facts,
              input: { ...good.input, notDisplayedReason: 'motif' },
            });
            if ('refusal' in result)
              expect.fail(`${event} from ${state} is named legal and refused by ${result.refusal.guard}`);
          }
  });
});

describe('random histories of a case', () => {
  const change = fc.record(
    {
      live: fc.boolean(),
      urgent: fc.boolean(),
      protocolRequired: fc.boolean(),
      flow4Expected: fc.boolean(),
      consent: fc.constantFrom('given' as const, 'missing' as const),
      identityProblem: fc.boolean(),
      quarantined: fc.boolean(),
      phoneExchange: fc.boolean(),
      images: fc.record({
        instances: fc.nat(3),
        quiet: fc.boolean(),
        firstSeriesQuiet: fc.boolean(),
        missingStudies: fc.nat(1),
        declaredComplete: fc.boolean(),
        provisional: fc.boolean(),
        notDisplayed: fc.nat(1),
      }),
    },
    { requiredKeys: [] },
  );
  const step = fc.record({ event: fc.constantFrom(...events), actor: fc.constantFrom(...actors), change });

  it('keep state and status together, read before signing, sign before delivering, and never leave an end', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (history) => {
        let state: Origin = 'none';
        let facts: Facts = { ...nothing, clockStarted: false };
        const passed: string[] = [];
        for (const { event, actor, change: changed } of history) {
          facts = { ...facts, ...changed, input: good.input };
          const result = decide(state, event, actor, facts);
          if ('refusal' in result) {
            if (state !== 'none') expect(stateDefinition(state)).toBeDefined();
            continue;
          }
          if (state !== 'none') expect(stateDefinition(state)?.final).toBeUndefined();
          state = result.decision.state;
          passed.push(...result.decision.steps.map((each) => each.to));
          for (const milestone of result.decision.milestones) expect(facts.milestones).not.toContain(milestone);
          facts = { ...facts, milestones: [...facts.milestones, ...result.decision.milestones] };
          if (result.decision.effects.includes('start-clock')) {
            expect(facts.clockStarted).toBe(false);
            facts = { ...facts, clockStarted: true };
          }
          if (event === 'claim') facts = { ...facts, owner: actor.reference };
          if (event === 'release') facts = { ...facts, owner: undefined };
          if (event === 'protocol') facts = { ...facts, protocolGiven: true };
          if (event === 'complete-exam') facts = { ...facts, flow4: true };
          if (event === 'sign') facts = { ...facts, report: 'final', reportAcknowledged: true };
          if (passed.includes('delivered')) expect(passed).toContain('signed');
          if (passed.includes('signed')) expect(passed).toContain('reading');
          if (passed.includes('reading')) expect(passed).toContain('ready');
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
