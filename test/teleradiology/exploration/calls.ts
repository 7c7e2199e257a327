/** What can happen to a world: events by everybody, and changes around the case that are nobody's event. */
import { type CaseActor, type CaseEvent, type Facts, roles } from '../../../src/teleradiology/case/index.ts';
import type { World } from './worlds.ts';

const person = (reference: string, role: string): CaseActor => ({ reference, roles: [role], kind: 'person' });

/** One of each role, and the readers: those who hold something, under the names of worlds.ts, and one who holds nothing. */
export const actors: readonly CaseActor[] = [
  ...roles
    .filter((role) => role !== 'radiologist')
    .map(
      (role): CaseActor => ({
        ...person(`Practitioner/${role}`, role),
        kind: role === 'system' ? 'system' : role === 'ris' || role === 'conformance' ? 'machine' : 'person',
      }),
    ),
  ...[1, 2, 3, 4].map((number) => person(`Practitioner/reader-${number}`, 'radiologist')),
];

/** Readers who hold nothing are alike: the first of them stands for all. */
export function actorsIn(world: World): readonly CaseActor[] {
  const held = new Set<string>([world.owner, world.secondReader, world.addendumReader]);
  let strangers = 0;
  return actors.filter(({ reference, roles: [role] }) =>
    role !== 'radiologist' || held.has(reference) ? true : strangers++ === 0,
  );
}

const good: Facts['input'] = {
  reason: 'motif',
  protocols: ['protocole'],
  summary: 'résumé',
  question: 'Créatinine ?',
  answer: '80 µmol/L',
  reader: 'Practitioner/reader-9',
  opinion: 'avis',
  agrees: true,
  finding: 'hématome',
  readBack: 'hématome',
  reportComplete: true,
  lastVersion: true,
};

/** Facts an event comes with: each way in which it can go differently where all is well. */
export function ways(event: CaseEvent, facts: Facts): Facts[] {
  const given = { ...facts, input: good };
  switch (event) {
    case 'save':
    case 'submit':
      return [true, false].flatMap((urgent) =>
        [[], ['justification']].flatMap((missing) =>
          [true, false].map((identityProblem) => ({ ...given, urgent, missing, identityProblem })),
        ),
      );
    case 'triage':
      return [true, false].map((urgent) => ({ ...given, urgent }));
    case 'images':
      return [{ ...given, images: { ...facts.images, instances: 1, quiet: false, firstSeriesQuiet: false } }];
    case 'images-quiet':
      return facts.images.instances === 0
        ? []
        : [true, false].map((quiet) => ({ ...given, images: { ...facts.images, quiet, firstSeriesQuiet: true } }));
    case 'confirm-images':
      return [{ ...given, images: { ...facts.images, provisional: true } }];
    case 'sign':
      return [true, false].flatMap((secondReadingRequired) =>
        (['none', 'required'] as const).map((complement) => ({ ...given, secondReadingRequired, complement })),
      );
    // Whoever declares it does not confirm it.
    case 'enter-in-error':
      return [given, { ...given, errorDeclaredBy: 'Practitioner/quality' }];
    case 'complete-second-reading':
      return [true, false].map((agrees) => ({ ...given, input: { ...good, agrees } }));
    case 'sign-addendum':
      return [true, false].map((complement) => ({ ...given, input: { ...good, complement } }));
    default:
      return [given];
  }
}

/** What can be wrong with a call, one thing at a time: what only guards read. */
export const faults: readonly (readonly [string, (facts: Facts, actor: CaseActor) => Facts])[] = [
  ['nothing said', (facts) => ({ ...facts, input: {} })],
  ['consent missing', (facts) => ({ ...facts, consent: 'missing' })],
  ['consent refused', (facts) => ({ ...facts, consent: 'refused' })],
  ['emergency exception', (facts) => ({ ...facts, consent: 'emergency' })],
  ['credentials expired', (facts) => ({ ...facts, reader: { ...facts.reader, credentials: 'expired' } })],
  ['no credentials on file', (facts) => ({ ...facts, reader: { ...facts.reader, credentials: 'missing' } })],
  [
    'no credentials where they are required',
    (facts) => ({ ...facts, credentialsRequired: true, reader: { ...facts.reader, credentials: 'missing' } }),
  ],
  ['reader excluded', (facts) => ({ ...facts, reader: { ...facts.reader, excluded: true } })],
  [
    'not on duty, no reason',
    (facts) => ({
      ...facts,
      dutyRequired: true,
      reader: { ...facts.reader, onDuty: false },
      input: { ...facts.input, reason: undefined },
    }),
  ],
  [
    'assigned to another, no reason',
    (facts) => ({ ...facts, assignedTo: 'Practitioner/reader-9', input: { ...facts.input, reason: ' ' } }),
  ],
  ['contract closed', (facts) => ({ ...facts, live: false })],
  ['no number', (facts) => ({ ...facts, placerNumber: false })],
  ['attached by a guess', (facts) => ({ ...facts, images: { ...facts.images, provisional: true } })],
  ['series not displayed', (facts) => ({ ...facts, images: { ...facts.images, notDisplayed: 1 } })],
  [
    'series not displayed, reason',
    (facts) => ({
      ...facts,
      images: { ...facts.images, notDisplayed: 1 },
      input: { ...facts.input, notDisplayedReason: 'motif' },
    }),
  ],
  ['no phone exchange', (facts) => ({ ...facts, phoneExchange: false })],
  ['urgent, no phone exchange', (facts) => ({ ...facts, urgent: true, phoneExchange: false })],
  ['incomplete report', (facts) => ({ ...facts, input: { ...facts.input, reportComplete: false } })],
];

/** Changes around the case. `decided` ones are made by people whose work it is; the others may never come. */
export const changes: readonly {
  name: string;
  decided?: true;
  /** Left out where doubts are. */
  doubt?: true;
  possible(world: World): boolean;
  apply(facts: Facts): Facts;
}[] = [
  {
    name: 'identity problem opens',
    possible: (world) => world.identity !== 'problem',
    apply: (facts) => ({ ...facts, identityProblem: true }),
  },
  {
    name: 'identity problem decided',
    decided: true,
    possible: (world) => world.identity === 'problem',
    apply: (facts) => ({ ...facts, identityProblem: false }),
  },
  {
    name: 'identity problem decided, a doubt beside it is not',
    doubt: true,
    decided: true,
    possible: (world) => world.identity === 'problem',
    apply: (facts) => ({ ...facts, identityProblem: false, identityDoubt: true }),
  },
  {
    name: 'identity doubt opens',
    doubt: true,
    possible: (world) => world.identity === 'clear',
    apply: (facts) => ({ ...facts, identityDoubt: true }),
  },
  {
    name: 'identity doubt lifted',
    decided: true,
    possible: (world) => world.identity === 'doubt',
    apply: (facts) => ({ ...facts, identityDoubt: false }),
  },
  {
    name: 'the act as it is now owes a second reading',
    possible: (world) => world.signed && !world.twice,
    apply: (facts) => ({ ...facts, secondReadingRequired: true }),
  },
  {
    name: 'the act as it is now owes a complement',
    possible: (world) => world.signed && world.complement === 'none',
    apply: (facts) => ({ ...facts, complement: 'required' }),
  },
  {
    name: 'images into quarantine',
    possible: (world) => !world.quarantined,
    apply: (facts) => ({ ...facts, quarantined: true }),
  },
  {
    name: 'images out of quarantine',
    decided: true,
    possible: (world) => world.quarantined,
    apply: (facts) => ({ ...facts, quarantined: false }),
  },
  {
    name: 'images taken away',
    possible: (world) => world.images !== 'none',
    apply: (facts) => ({
      ...facts,
      images: { ...facts.images, instances: 0, quiet: false, firstSeriesQuiet: false },
    }),
  },
  {
    name: 'images without an event',
    possible: (world) => world.images === 'none',
    apply: (facts) => ({ ...facts, images: { ...facts.images, instances: 1 } }),
  },
  {
    name: 'quiet without an event',
    possible: (world) => world.images !== 'none' && world.images !== 'quiet',
    apply: (facts) => ({ ...facts, images: { ...facts.images, quiet: true, firstSeriesQuiet: true } }),
  },
  {
    name: 'request completed',
    possible: (world) => world.incomplete,
    apply: (facts) => ({ ...facts, missing: [] }),
  },
];
