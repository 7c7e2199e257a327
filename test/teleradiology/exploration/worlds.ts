/**
 * The finite worlds of the exploration. A world keeps what rows, clocks and invariants can tell apart:
 * - counts become "none, some"; instants become "arriving, first series quiet, all quiet"; texts are given or not;
 * - people are known by what they hold: who reads is `reader-1`, and so on, whoever claimed;
 * - what a phase no longer reads is forgotten (images after the signature…): `forget` below, itself under test;
 * - what only guards read and anybody may change at any instant (consent, credentials, contract, phone…) is no part of a world: each call
 *   is tried with all of it good and with each of it bad (calls.ts).
 */
import {
  type CaseState,
  type Facts,
  type Origin,
  signedStates,
  stateDefinition,
  states,
  unquestioned,
} from '../../../src/teleradiology/case/index.ts';

/** Terms of the establishment and kind of case: they do not change under a case. */
export interface Terms {
  flow4Expected: boolean;
  protocolRequired: boolean;
  imagesExpected: boolean;
}

export type Images = 'none' | 'arriving' | 'first-quiet' | 'quiet';
/** Who holds something; the names are given again at every step, in the order owner, second reader, addendum reader. */
export type Holder = '' | 'Practitioner/reader-1' | 'Practitioner/reader-2' | 'Practitioner/reader-3';

export interface World {
  state: Origin;
  urgent: boolean;
  incomplete: boolean;
  question: boolean;
  cancellationAsked: boolean;
  protocolGiven: boolean;
  flow4: boolean;
  /** A problem outweighs a doubt. */
  identity: 'clear' | 'doubt' | 'problem';
  quarantined: boolean;
  images: Images;
  declaredComplete: boolean;
  /** By whom it was declared only tells who may confirm, which is of the call: here it is the technologist. */
  errorDeclared: boolean;
  clockStarted: boolean;
  owner: Holder;
  twice: boolean;
  secondReading: Facts['secondReading'];
  secondReader: Holder;
  complement: Facts['complement'];
  addendum: Facts['addendum'];
  addendumReader: Holder;
  addendumOnRequest: boolean;
  criticalOpen: boolean;
  signed: boolean;
  acknowledged: boolean;
  /** Times the act was billed, less what was taken back; 2 means "more than once". */
  billed: 0 | 1 | 2;
}

export const before: World = {
  state: 'none',
  urgent: false,
  incomplete: false,
  question: false,
  cancellationAsked: false,
  protocolGiven: false,
  flow4: false,
  identity: 'clear',
  quarantined: false,
  images: 'none',
  declaredComplete: false,
  errorDeclared: false,
  clockStarted: false,
  owner: '',
  twice: false,
  secondReading: 'none',
  secondReader: '',
  complement: 'none',
  addendum: 'none',
  addendumReader: '',
  addendumOnRequest: false,
  criticalOpen: false,
  signed: false,
  acknowledged: false,
  billed: 0,
};

const codes = ['none', ...states.map(({ code }) => code)];
const holders: readonly Holder[] = ['', 'Practitioner/reader-1', 'Practitioner/reader-2', 'Practitioner/reader-3'];
/** Every field with its values: a world is one number in this mixed base, 37 bits of it. */
const fields: readonly (readonly [keyof World, ReadonlyMap<unknown, number>])[] = (
  Object.keys(before) as (keyof World)[]
).map((field) => {
  const values: Partial<Record<keyof World, readonly unknown[]>> = {
    state: codes,
    images: ['none', 'arriving', 'first-quiet', 'quiet'],
    identity: ['clear', 'doubt', 'problem'],
    secondReading: ['none', 'wanted', 'taken', 'done'],
    complement: ['none', 'required', 'done'],
    addendum: ['none', 'wanted', 'taken'],
    billed: [0, 1, 2],
    owner: holders,
    secondReader: holders,
    addendumReader: holders,
  };
  return [field, new Map((values[field] ?? [false, true]).map((value, index) => [value, index]))];
});

/** A number that no other world has. @throws Error for a value the fields do not know: worlds must stay apart. */
export function keyOf(world: World): number {
  let key = 0;
  for (const [field, values] of fields) {
    const index = values.get(world[field]);
    if (index === undefined) throw new Error(`${field} is ${world[field]}`);
    key = key * values.size + index;
  }
  return key;
}

/** One case of which the world is the shadow. */
export function factsOf(world: World, terms: Terms): Facts {
  const there = world.images !== 'none';
  return {
    ...terms,
    readers: ['radiologist'],
    live: true,
    urgent: world.urgent,
    missing: world.incomplete ? ['justification'] : [],
    question: world.question,
    cancellationAsked: world.cancellationAsked,
    reader: unquestioned,
    credentialsRequired: false,
    dutyRequired: false,
    ...(world.owner === '' ? {} : { owner: world.owner }),
    placerNumber: true,
    consent: 'given',
    protocolGiven: world.protocolGiven,
    flow4: world.flow4,
    identityProblem: world.identity === 'problem',
    identityDoubt: world.identity === 'doubt',
    quarantined: world.quarantined,
    images: {
      instances: there ? 1 : 0,
      quiet: world.images === 'quiet',
      firstSeriesQuiet: world.images === 'first-quiet' || world.images === 'quiet',
      missingStudies: 0,
      declaredComplete: world.declaredComplete,
      provisional: false,
      notDisplayed: 0,
    },
    phoneExchange: true,
    report: world.signed ? 'final' : 'none',
    reportAcknowledged: world.acknowledged,
    secondReadingRequired: world.twice,
    secondReading: world.secondReading,
    ...(world.secondReader === '' ? {} : { secondReader: world.secondReader }),
    complement: world.complement,
    addendum: world.addendum,
    addendumOnRequest: world.addendumOnRequest,
    ...(world.addendumReader === '' ? {} : { addendumReader: world.addendumReader }),
    critical: world.criticalOpen ? 'open' : 'none',
    ...(world.errorDeclared ? { errorDeclaredBy: 'Practitioner/technologist' } : {}),
    clockStarted: world.clockStarted,
    milestones: [],
    input: {},
  };
}

/** The shadow of a case. */
export function worldOf(state: Origin, facts: Facts, billed: World['billed']): World {
  const { images } = facts;
  return forget(
    renamed({
      state,
      urgent: facts.urgent,
      incomplete: facts.missing.length > 0,
      question: facts.question,
      cancellationAsked: facts.cancellationAsked,
      protocolGiven: facts.protocolGiven,
      flow4: facts.flow4,
      identity: facts.identityProblem ? 'problem' : facts.identityDoubt ? 'doubt' : 'clear',
      quarantined: facts.quarantined,
      images:
        images.instances === 0
          ? 'none'
          : images.quiet && images.missingStudies === 0
            ? 'quiet'
            : images.firstSeriesQuiet
              ? 'first-quiet'
              : 'arriving',
      declaredComplete: images.declaredComplete,
      errorDeclared: facts.errorDeclaredBy !== undefined,
      clockStarted: facts.clockStarted,
      owner: (facts.owner ?? '') as Holder,
      twice: facts.secondReadingRequired,
      secondReading: facts.secondReading,
      secondReader: (facts.secondReader ?? '') as Holder,
      complement: facts.complement,
      addendum: facts.addendum,
      addendumOnRequest: facts.addendumOnRequest,
      addendumReader: (facts.addendumReader ?? '') as Holder,
      criticalOpen: facts.critical === 'open',
      signed: facts.report === 'final',
      acknowledged: facts.reportAcknowledged,
      billed,
    }),
  );
}

function renamed(world: World): World {
  const names = new Map<string, Holder>([['', '']]);
  const rename = (holder: string): Holder => {
    if (!names.has(holder)) names.set(holder, `Practitioner/reader-${names.size}` as Holder);
    return names.get(holder) as Holder;
  };
  const [owner, secondReader, addendumReader] = [world.owner, world.secondReader, world.addendumReader].map(rename);
  return { ...world, owner, secondReader, addendumReader } as World;
}

/** Without what no row, no clock and no invariant reads from this state on. */
export function forget(world: World): World {
  const { state } = world;
  if (stateDefinition(state)?.final)
    return { ...before, state, criticalOpen: world.criticalOpen, billed: world.billed };
  if (signedStates.includes(state as CaseState))
    return {
      ...world,
      urgent: false,
      incomplete: false,
      cancellationAsked: false,
      protocolGiven: false,
      flow4: false,
      images: 'none',
      declaredComplete: false,
      clockStarted: false,
    };
  const opening = state === 'none' || state === 'draft' || state === 'sent';
  return {
    ...world,
    incomplete: opening && world.incomplete,
    // A person's word outweighs what images do, as long as there are some.
    images: world.declaredComplete && world.images !== 'none' ? 'quiet' : world.images,
    // The act decides at signature, and flow 4 may still change the act.
    twice: false,
    complement: 'none',
  };
}
