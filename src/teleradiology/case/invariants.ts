/**
 * What must hold of a case whatever happens to it (issue 5 §2): named predicates with the clause they come from. The exploration of
 * test/teleradiology/exploration checks them on every reachable world, the runs on the real store on stored cases; docs/workflow.md lists them.
 */
import { runningClocks } from './clocks.ts';
import { type CaseActor, type Facts, imagesComplete, type Origin } from './facts.ts';
import { type Decision, decide, settleFrom } from './machine.ts';
import { type CaseState, inHand, signedStates, stateDefinition } from './states.ts';
import type { CaseEvent } from './transition.ts';

/** A case between two events. */
export interface World {
  state: CaseState;
  facts: Facts;
}

/** An event that was accepted. */
export interface Taken {
  from: Origin;
  event: CaseEvent;
  actor: CaseActor;
  /** Facts the decision was made on. */
  facts: Facts;
  decision: Decision;
}

export interface Invariant<Subject> {
  name: string;
  /** Where it comes from. */
  clause: string;
  /** The sentence that must hold. */
  text: string;
  holds(subject: Subject): boolean;
}

const isFinal = (state: Origin): boolean => stateDefinition(state)?.final === true;
const isSigned = (state: Origin): boolean => signedStates.includes(state as CaseState);
const isInHand = (state: Origin): boolean => inHand.includes(state as CaseState);
const consented = (facts: Facts): boolean => facts.consent === 'given' || facts.consent === 'emergency';
const wellAttached = (facts: Facts): boolean => !facts.identityProblem && !facts.quarantined;
const undoubted = (facts: Facts): boolean => wellAttached(facts) && !facts.identityDoubt;
/** What a reader may do in any standing: give back what they hold, lose no word, and say what is dangerous. */
const leftToAll: readonly CaseEvent[] = [
  ...(['release', 'hand-over', 'suspend', 'release-second-reading', 'release-addendum'] as const),
  ...(['save-draft', 'displayed', 'declare-critical', 'acknowledge-critical', 'declare-error'] as const),
];
/** And of the report they signed themselves. */
const leftToSigner: readonly CaseEvent[] = ['open-addendum', 'request-rereading', 'request-second-reading'];

const mayRead = ({ reader, credentialsRequired }: Facts): boolean =>
  !reader.excluded && (reader.credentials === 'valid' || (reader.credentials === 'missing' && !credentialsRequired));
const person = (role: string): CaseActor => ({ reference: `Practitioner/any-${role}`, roles: [role], kind: 'person' });
const someoneOfTheSite: CaseActor = { reference: 'Practitioner/site', roles: ['requester'], kind: 'person' };
const does = ({ decision }: Taken, effect: Decision['effects'][number]): boolean => decision.effects.includes(effect);

export const worldInvariants: readonly Invariant<World>[] = [
  {
    name: 'nobody-waits-in-silence',
    clause: 'WF-4',
    text: 'Every state in which somebody waits has a running clock that escalates to somebody; only drafts and ends have none.',
    holds: ({ state, facts }) =>
      state === 'draft' || state === 'delivered' || isFinal(state) || runningClocks(state, facts).length > 0,
  },
  {
    name: 'nothing-owed-in-silence',
    clause: 'WF-4, WF-7, WF-8, WF-10',
    text: 'A question, a second reading, an addendum, a complement and a decision about an identity that are owed each have their clock as long as the case lives.',
    holds: ({ state, facts }) => {
      if (isFinal(state) || state === 'draft') return true;
      const running = runningClocks(state, facts);
      const owed = [
        facts.question && 'information',
        (facts.secondReading === 'wanted' || facts.secondReading === 'taken') && 'second-reading',
        facts.addendum !== 'none' && 'addendum',
        facts.complement === 'required' && isSigned(state) && 'complement',
        (facts.identityProblem || facts.identityDoubt || facts.quarantined) && state !== 'sent' && 'identity',
      ] as const;
      return owed.every((clock) => clock === false || running.includes(clock));
    },
  },
  {
    name: 'a-declared-error-is-decided',
    clause: 'workflow §2, WF-4',
    text: 'While an error is declared its clock runs, another person of the quality service can confirm it, and the coordinator take it back.',
    holds: ({ state, facts }) =>
      facts.errorDeclaredBy === undefined ||
      isFinal(state) ||
      (runningClocks(state, facts).includes('error') &&
        'decision' in decide(state, 'enter-in-error', person('quality'), { ...facts, input: { reason: '…' } }) &&
        'decision' in decide(state, 'withdraw-error', person('coordinator'), { ...facts, input: { reason: '…' } })),
  },
  {
    name: 'critical-result-is-heard',
    clause: 'WF-9',
    text: 'While a critical result is open its clock runs and the site can acknowledge it, in every state.',
    holds: ({ state, facts }) =>
      facts.critical !== 'open' ||
      (runningClocks(state, facts).includes('critical') &&
        'decision' in decide(state, 'acknowledge-critical', someoneOfTheSite, { ...facts, input: { readBack: '…' } })),
  },
  {
    name: 'not-closed-with-a-critical-result-open',
    clause: 'WF-9, workflow §7',
    text: 'No case is closed while a critical result is open.',
    holds: ({ state, facts }) => facts.critical !== 'open' || (state !== 'delivered' && state !== 'addendum'),
  },
  {
    name: 'delivered-is-signed-and-acknowledged',
    clause: 'OUT-6, design §5',
    text: 'A delivered case has a signed report, the last version of which the site acknowledged.',
    holds: ({ state, facts }) =>
      (state !== 'delivered' && state !== 'addendum') || (facts.report === 'final' && facts.reportAcknowledged),
  },
  {
    name: 'in-hand-has-an-owner',
    clause: 'WF-11',
    text: 'A case in hand has an owner; one that waits to be read has none.',
    holds: ({ state, facts }) =>
      isInHand(state) ? facts.owner !== undefined : isSigned(state) || isFinal(state) || facts.owner === undefined,
  },
  {
    name: 'signed-has-a-report',
    clause: 'WF-1',
    text: 'The report is final in the signed states and in none before them.',
    holds: ({ state, facts }) => isFinal(state) || isSigned(state) === (facts.report === 'final'),
  },
  {
    name: 'two-readers-differ',
    clause: 'WF-8',
    text: 'Who reads second is not who signs or signed.',
    holds: ({ facts }) => facts.secondReading !== 'taken' || facts.secondReader !== facts.owner,
  },
  {
    name: 'what-must-be-read-twice-is',
    clause: 'WF-8',
    text: 'A signed report of an act that must be read twice was read by another reader, or its second reading is open.',
    holds: ({ state, facts }) =>
      !isSigned(state) ||
      !facts.secondReadingRequired ||
      facts.secondReading === 'wanted' ||
      facts.secondReading === 'taken' ||
      (facts.secondReading === 'done' && facts.secondReader !== undefined && facts.secondReader !== facts.owner),
  },
  {
    name: 'an-end-is-silent',
    clause: 'WF-1',
    text: 'In a final state no clock runs but that of a critical result.',
    holds: ({ state, facts }) => !isFinal(state) || runningClocks(state, facts).every((clock) => clock === 'critical'),
  },
  {
    name: 'settled',
    clause: 'WF-1',
    text: 'Where an event left a case, the platform has nothing left to do by itself; settling ends.',
    holds: ({ state, facts }) => settleFrom(state, facts).steps.length === 0,
  },
];

export const takenInvariants: readonly Invariant<Taken>[] = [
  {
    name: 'an-end-stays',
    clause: 'WF-1',
    text: 'A final state changes no more; only a critical result is still acknowledged.',
    holds: ({ from, event, decision }) =>
      !isFinal(from) ||
      (event === 'acknowledge-critical' && decision.state === from && decision.milestones.length === 0),
  },
  {
    name: 'read-by-the-entitled',
    clause: 'WF-12, CM-4, CM-5, ID-2',
    text: 'Whoever claims a reading, a second reading or an addendum has consent or the emergency exception before them, no open identity problem, valid credentials and no exclusion.',
    holds: ({ event, facts }) =>
      !['claim', 'claim-second-reading', 'claim-addendum'].includes(event) ||
      (consented(facts) && wellAttached(facts) && mayRead(facts)),
  },
  {
    name: 'who-may-not-read-decides-nothing',
    clause: 'CM-4, CM-5',
    text: 'A reader who is excluded or without valid credentials gives back, saves, and says what is dangerous (a critical result, an error, a report of their own to be taken up again); nothing else of a case changes by them.',
    holds: ({ event, actor, facts }) =>
      mayRead(facts) ||
      !facts.readers.some((role) => actor.roles.includes(role)) ||
      leftToAll.includes(event) ||
      (facts.owner === actor.reference && leftToSigner.includes(event)),
  },
  {
    name: 'acknowledged-is-the-last-version',
    clause: 'OUT-6, RP-6',
    text: 'Only the receipt of the last signed version counts, whoever tells it.',
    holds: ({ event, facts }) => event !== 'report-received' || facts.input.lastVersion === true,
  },
  {
    name: 'one-reader-at-a-time',
    clause: 'WF-11',
    text: 'Only what nobody holds is claimed.',
    holds: ({ event, facts }) =>
      event === 'claim'
        ? facts.owner === undefined
        : event === 'claim-second-reading'
          ? facts.secondReading === 'wanted'
          : event !== 'claim-addendum' || facts.addendum === 'wanted',
  },
  {
    name: 'signed-by-a-person-who-looked',
    clause: 'WF-5, WF-12, CM-4, CM-5, ID-2, design §5 rule 6',
    text: 'A report is signed by the person who reads it, with consent, identity, attachment, credentials, phone exchange of an urgent case, the whole study displayed or a reason, and no cancellation left unanswered.',
    holds: ({ event, actor, facts }) =>
      event !== 'sign' ||
      (actor.kind === 'person' &&
        actor.reference === facts.owner &&
        consented(facts) &&
        undoubted(facts) &&
        mayRead(facts) &&
        !facts.images.provisional &&
        (!facts.urgent || facts.phoneExchange) &&
        !facts.cancellationAsked &&
        facts.input.reportComplete === true &&
        (facts.images.instances > 0 || !facts.imagesExpected) &&
        ((imagesComplete(facts) && facts.images.notDisplayed === 0) || Boolean(facts.input.notDisplayedReason))),
  },
  {
    name: 'nothing-published-of-the-wrong-patient',
    clause: 'ID-2, design §5 rule 5',
    text: 'What the site may read, preliminary, signed or amended, is published by an entitled person with consent, and never with an open identity problem or doubt, images in quarantine or attached by a guess, or a declared error.',
    holds: (taken) =>
      (!does(taken, 'publish-report') && !does(taken, 'publish-preliminary')) ||
      (taken.actor.kind === 'person' &&
        consented(taken.facts) &&
        undoubted(taken.facts) &&
        taken.facts.errorDeclaredBy === undefined &&
        mayRead(taken.facts) &&
        !taken.facts.images.provisional &&
        taken.facts.input.reportComplete === true),
  },
  {
    name: 'sent-only-when-signed',
    clause: 'WF-1',
    text: 'Only a signed report is queued for the site, and not while an identity problem or doubt is open, or the case declared an error.',
    holds: (taken) =>
      !does(taken, 'queue-report') ||
      (taken.decision.facts.report === 'final' &&
        undoubted(taken.decision.facts) &&
        taken.decision.facts.errorDeclaredBy === undefined),
  },
  {
    name: 'billed-by-the-first-signature-alone',
    clause: 'WF-7',
    text: 'Only `sign` bills the act, from a case that was never signed; no re-reading and no addendum does.',
    holds: (taken) =>
      !does(taken, 'charge-act') ||
      (taken.event === 'sign' && taken.facts.report !== 'final' && !taken.facts.milestones.includes('signed')),
  },
  {
    name: 'an-error-is-not-billed',
    clause: 'WF-7',
    text: 'A case found to be an error takes back what it billed.',
    holds: (taken) => taken.event !== 'enter-in-error' || does(taken, 'reverse-charge'),
  },
  {
    name: 'an-error-is-withdrawn',
    clause: 'workflow §2, OUT-6',
    text: 'A case found to be an error queues no report, and withdraws what the site received of it; nothing else withdraws.',
    holds: (taken) =>
      does(taken, 'queue-withdrawal') === (taken.decision.state === 'entered-in-error' && !isFinal(taken.from)) &&
      (taken.decision.state !== 'entered-in-error' || !does(taken, 'queue-report')),
  },
  {
    name: 'an-error-takes-two-persons',
    clause: 'workflow §2',
    text: 'A case becomes an error by a person, after another one declared it; a declaration goes by who made it, quality or the coordinator, with a reason.',
    holds: ({ event, actor, facts, decision }) =>
      event === 'enter-in-error'
        ? actor.kind === 'person' && facts.errorDeclaredBy !== undefined && facts.errorDeclaredBy !== actor.reference
        : facts.errorDeclaredBy === undefined ||
          decision.facts.errorDeclaredBy !== undefined ||
          (event === 'withdraw-error' && Boolean(facts.input.reason)),
  },
  {
    name: 'critical-result-not-lost',
    clause: 'WF-9',
    text: 'An open critical result is closed by nothing but a person who says it back.',
    holds: ({ event, actor, facts, decision }) =>
      facts.critical !== 'open' ||
      decision.facts.critical === 'open' ||
      (event === 'acknowledge-critical' && actor.kind === 'person' && Boolean(facts.input.readBack)),
  },
  {
    name: 'done-is-not-cancelled',
    clause: 'volume F2, WF-1',
    text: 'Nothing is cancelled once the exam was done, nor while it is read or after it was signed.',
    holds: ({ from, event, facts }) => event !== 'cancel' || (!facts.flow4 && !isInHand(from) && !isSigned(from)),
  },
  {
    name: 'the-complement-is-not-forgotten',
    clause: 'WF-8',
    text: 'The complement an act owes is done by the addendum that says it is the complement, and by no other.',
    holds: ({ event, facts, decision }) =>
      facts.complement !== 'required' ||
      decision.facts.complement === 'required' ||
      (event === 'sign-addendum' && facts.input.complement === true),
  },
  {
    name: 'who-has-no-part-changes-nothing',
    clause: 'workflow §3',
    text: 'Administrators and auditors change no case; the platform and machines neither claim, nor sign, nor acknowledge a critical result.',
    holds: ({ event, actor }) =>
      !actor.roles.some((role) => role === 'administrator' || role === 'auditor') &&
      (actor.kind === 'person' ||
        !['sign', 'sign-addendum', 'issue-preliminary', 'complete-second-reading', 'acknowledge-critical'].includes(
          event,
        )),
  },
];

/** What the graph of all worlds must show; the exploration computes it. */
export const graphInvariants: readonly Omit<Invariant<never>, 'holds'>[] = [
  {
    name: 'no-dead-end',
    clause: 'WF-1',
    text: 'From every reachable world events lead to the delivered report or to a final state other than "entered in error", by people alone: no image has to come, no consent to be given, no identity problem to be decided.',
  },
  {
    name: 'every-clock-stops',
    clause: 'WF-4',
    text: 'From every world in which a clock runs a path leads to one in which it does not.',
  },
  {
    name: 'billed-once',
    clause: 'WF-7',
    text: 'On no path is the act billed twice.',
  },
  {
    name: 'no-row-without-use',
    clause: 'WF-1',
    text: 'Every state is reached and every row of the table is taken on some path.',
  },
];
