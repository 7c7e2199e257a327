/**
 * Which delays run on a case, derived from its state and facts (WF-3, WF-4, WF-8, WF-9): no transition starts or stops one, so none can
 * forget to. How long each is, and when it reminds, are terms of the establishment's contract (src/teleradiology/clock).
 */
import type { Facts } from './facts.ts';
import { type CaseState, openStates, signedStates, stateDefinition } from './states.ts';
import type { CaseEvent } from './transition.ts';

export type ClockName =
  | 'identity'
  | 'information'
  | 'protocol'
  | 'images'
  | 'expiry'
  | 'interpretation'
  | 'lease'
  | 'second-reading'
  | 'complement'
  | 'critical'
  | 'delivery'
  | 'addendum'
  | 'error';

/** Who is told; `site` is the establishment that asked. */
export type Party =
  | 'owner'
  | 'readers'
  | 'second-reader'
  | 'addendum-reader'
  | 'quality'
  | 'site'
  | 'coordinator'
  | 'platform';

export interface ClockDefinition {
  name: ClockName;
  /** French, shown to people. */
  display: string;
  /** While what it runs, in words: the document's. */
  where: string;
  runs(state: CaseState, facts: Facts): boolean;
  /** Reminded before and when the delay is over: the first of them that is there. */
  reminds: readonly Party[];
  /** All of them are reminded. */
  remindsAll?: true;
  /** Told one after the other when nothing happens then. */
  escalates: readonly Party[];
  /** The platform raises this event when the delay is over. */
  raises?: CaseEvent;
  /** It is told again by rounds of its own (critical/). Every other one that raises nothing goes on telling until it stops (clock/plan.ts). */
  rounds?: true;
}

const ended = (state: CaseState): boolean => stateDefinition(state)?.final === true;
const notYetSent = (state: CaseState): boolean => state === 'draft' || state === 'sent';
const isSigned = (state: CaseState): boolean => signedStates.includes(state);

export const clocks: readonly ClockDefinition[] = [
  {
    name: 'identity',
    display: "Vérification d'identité",
    where: 'identity-hold, or any state with an open identity problem or doubt',
    runs: (state, facts) =>
      state === 'identity-hold' ||
      ((facts.identityProblem || facts.identityDoubt || facts.quarantined) && !ended(state) && !notYetSent(state)),
    // Whoever reads may lift a doubt, and must know of it; identity vigilance decides the rest.
    reminds: ['owner', 'quality'],
    remindsAll: true,
    escalates: ['coordinator', 'site'],
  },
  {
    name: 'information',
    display: 'Complément demandé',
    where: 'information-wanted, or before the signature with a question open',
    runs: (state, facts) =>
      state === 'information-wanted' || (facts.question && !ended(state) && !isSigned(state) && !notYetSent(state)),
    reminds: ['site'],
    escalates: ['coordinator'],
  },
  {
    name: 'protocol',
    display: 'Protocole',
    where: 'received, protocol-wanted',
    runs: (state) => state === 'protocol-wanted' || state === 'received',
    reminds: ['readers'],
    escalates: ['coordinator', 'site'],
  },
  {
    name: 'images',
    display: 'Réception des images',
    where: 'acquiring; protocoled when urgent',
    runs: (state, facts) => (state === 'protocoled' && facts.urgent) || state === 'acquiring',
    reminds: ['site'],
    escalates: ['coordinator'],
  },
  {
    name: 'expiry',
    display: "Attente d'images",
    where: 'protocoled and acquiring without an image',
    runs: (state, facts) => (state === 'protocoled' || state === 'acquiring') && facts.images.instances === 0,
    reminds: [],
    escalates: ['coordinator'],
    raises: 'expire',
  },
  {
    name: 'interpretation',
    display: 'Interprétation',
    where: 'from the transmission of the images to the signature',
    runs: (state, facts) => facts.clockStarted && openStates.includes(state) && !notYetSent(state),
    reminds: ['owner', 'readers'],
    escalates: ['coordinator', 'site'],
  },
  {
    name: 'lease',
    display: 'Lecture sans activité',
    where: 'reading and preliminary',
    runs: (state, facts) => facts.owner !== undefined && (state === 'reading' || state === 'preliminary'),
    reminds: ['owner'],
    escalates: ['coordinator'],
    raises: 'release',
  },
  {
    name: 'second-reading',
    display: 'Deuxième lecture',
    where: 'while one is wanted or taken',
    runs: (state, facts) => (facts.secondReading === 'wanted' || facts.secondReading === 'taken') && !ended(state),
    reminds: ['second-reader', 'readers'],
    escalates: ['coordinator', 'site'],
  },
  {
    name: 'complement',
    display: 'Complément de compte rendu',
    where: 'after the signature, until the complement is signed',
    runs: (state, facts) => facts.complement === 'required' && isSigned(state),
    reminds: ['addendum-reader', 'owner'],
    escalates: ['coordinator', 'site'],
  },
  {
    name: 'critical',
    display: 'Résultat critique',
    where: 'any state, until the site has said it back',
    // Whatever becomes of the case: what was found must be heard.
    runs: (_state, facts) => facts.critical === 'open',
    reminds: ['site'],
    escalates: ['coordinator', 'platform'],
    rounds: true,
  },
  {
    name: 'delivery',
    display: 'Remise du compte rendu',
    where: 'signed; delivering until the site acknowledged',
    runs: (state, facts) => state === 'signed' || (state === 'delivering' && !facts.reportAcknowledged),
    reminds: ['coordinator'],
    escalates: ['site'],
  },
  {
    name: 'addendum',
    display: 'Additif ou relecture',
    where: 'while one is wanted or taken',
    runs: (state, facts) => state === 'addendum' || (facts.addendum !== 'none' && isSigned(state)),
    reminds: ['addendum-reader', 'readers'],
    escalates: ['coordinator', 'site'],
  },
  {
    name: 'error',
    display: 'Erreur déclarée',
    where: 'from its declaration until a second person confirms it or it is withdrawn',
    runs: (state, facts) => facts.errorDeclaredBy !== undefined && !ended(state),
    reminds: ['quality'],
    escalates: ['coordinator', 'site'],
  },
];

/** Names of the delays that run on a case in this state. */
export function runningClocks(state: CaseState, facts: Facts): ClockName[] {
  return clocks.filter((clock) => clock.runs(state, facts)).map(({ name }) => name);
}

const parties: Record<Party, string> = {
  owner: 'who reads',
  readers: 'readers on duty',
  'second-reader': 'second reader',
  'addendum-reader': 'reader of the addendum',
  quality: 'identity vigilance',
  site: 'establishment',
  coordinator: 'coordinator',
  platform: 'platform',
};

/** Name of who is told, in the words of docs/workflow.md. */
export function partyText(party: Party): string {
  return parties[party];
}
