/** The case machine: state, event, actor and facts in, a decision or a named refusal out. Pure (design §5 rule 4). */
import { type CaseActor, type Facts, imagesComplete, imagesReadable, type Milestone, type Origin } from './facts.ts';
import { conditions, type Guard, type GuardName, guards } from './guards.ts';
import { type CaseState, openStates, stateDefinition } from './states.ts';
import type { CaseEvent, Effect, Transition, Via, Who } from './transition.ts';
import { transitions } from './transitions.ts';

/** One transition taken. */
export interface Step {
  event: CaseEvent;
  from: Origin;
  to: CaseState;
}

export interface Decision {
  /** State in the end. */
  state: CaseState;
  /** The transition asked for, then those by which the case settled. */
  steps: Step[];
  effects: Effect[];
  /** Milestones passed by this decision that were not passed before. */
  milestones: Milestone[];
  /** Facts as the event left them. */
  facts: Facts;
}

export interface Refusal {
  /** Why: a guard's name, or `state` (not from here) or `role` (not by this actor). */
  guard: GuardName | 'state' | 'role';
  /** HTTP status. */
  status: 403 | 409 | 422;
  /** French. */
  text: string;
  /** Events this actor may raise now; told when asked for. */
  legal(): CaseEvent[];
}

/** @returns a decision or, when the transition is not legal, the reason. */
export function decide(
  state: Origin,
  event: CaseEvent,
  actor: CaseActor,
  facts: Facts,
): { decision: Decision } | { refusal: Refusal } {
  // What is legal costs more than the refusal: it is told to whoever asks.
  const refused = (guard: Refusal['guard'], status: Refusal['status'], text: string): { refusal: Refusal } => ({
    refusal: {
      guard,
      status,
      text,
      legal: () => legalEvents(state, actor, facts),
    },
  });
  const row = rowOf(state, event, facts);
  if (row === undefined) {
    const lost = event === 'claim' && facts.owner !== undefined;
    const text = lost
      ? guards['no-owner'].text
      : `« ${event} » est impossible depuis l'état « ${stateDefinition(state)?.display ?? 'inexistant'} ».`;
    return refused('state', lost ? 409 : 422, text);
  }
  if (!entitled(row, actor, facts)) {
    const text = `« ${event} » revient à : ${row.who.map(whoText).join(', ')}.`;
    return refused('role', 403, text);
  }
  for (const name of row.guards ?? []) {
    const guard: Guard = guards[name];
    if (!guard.holds(facts, actor)) return refused(name, guard.status ?? 422, guard.text);
  }
  return { decision: settle(take(state, row, facts), factsAfter(event, actor, facts, row.effects ?? [])) };
}

/** Events that operations and plain updates offer this actor now; guards about a call's own content are left aside. */
export function legalEvents(state: Origin, actor: CaseActor, facts: Facts): CaseEvent[] {
  return offered(state, actor, facts)
    .filter(({ blockedBy }) => blockedBy === undefined)
    .map(({ event }) => event);
}

/** The same with what is held back by a guard, so that a person can be told why. */
export function offered(
  state: Origin,
  actor: CaseActor,
  facts: Facts,
): { event: CaseEvent; via: readonly Via[]; blockedBy?: GuardName }[] {
  const events = new Map<CaseEvent, { event: CaseEvent; via: readonly Via[]; blockedBy?: GuardName }>();
  for (const row of transitions) {
    if (!row.via.includes('operation') && !row.via.includes('update')) continue;
    if (events.has(row.event) || rowOf(state, row.event, facts) !== row || !entitled(row, actor, facts)) continue;
    const blockedBy = (row.guards ?? []).find((name) => {
      const guard: Guard = guards[name];
      return guard.ofCall !== true && !guard.holds(facts, actor);
    });
    events.set(row.event, { event: row.event, via: row.via, ...(blockedBy === undefined ? {} : { blockedBy }) });
  }
  return [...events.values()];
}

/** Settles a case whose facts changed without an event of its own. */
export function settleFrom(state: CaseState, facts: Facts): Decision {
  return settle({ state, steps: [], effects: [], milestones: [], facts }, facts);
}

const rowsByEvent: ReadonlyMap<CaseEvent, readonly Transition[]> = Map.groupBy(transitions, ({ event }) => event);

function rowOf(state: Origin, event: CaseEvent, facts: Facts): Transition | undefined {
  return rowsByEvent
    .get(event)
    ?.find((row) => row.from.includes(state) && (row.when ?? []).every((condition) => conditions[condition](facts)));
}

/** `conformance` stands for every role of people and machines; nobody stands for the system or for who holds the case. */
function entitled(row: Transition, actor: CaseActor, facts: Facts): boolean {
  const is = (reference: string | undefined): boolean => reference !== undefined && reference === actor.reference;
  return row.who.some((who) => {
    if (who === 'owner') return is(facts.owner);
    if (who === 'second-reader') return is(facts.secondReader);
    if (who === 'addendum-reader') return is(facts.addendumReader);
    if (who === 'declarer') return is(facts.errorDeclaredBy);
    if (who === 'system') return actor.kind === 'system';
    if (actor.roles.includes('conformance')) return true;
    return who === 'reader' ? facts.readers.some((role) => actor.roles.includes(role)) : actor.roles.includes(who);
  });
}

function take(from: Origin, row: Transition, facts: Facts): Decision {
  const to = row.to === 'same' ? (from as CaseState) : row.to;
  return {
    state: to,
    steps: [{ event: row.event, from, to }],
    effects: [...(row.effects ?? [])],
    milestones: [...(row.milestones ?? [])],
    facts,
  };
}

const system: CaseActor = { reference: '', roles: ['system'], kind: 'system' };
/** More steps than the longest chain (received → protocoled → acquiring → ready); a longer one would be a loop. */
const maxSteps = 8;

function settle(start: Decision, before: Facts): Decision {
  let decision = start;
  let facts = before;
  for (let step = 0; step < maxSteps; step++) {
    const row = rowOf(decision.state, 'acknowledge', facts) ?? rowOf(decision.state, 'advance', facts);
    if (row === undefined || !entitled(row, system, facts)) return withDerived(decision, facts);
    const next = take(decision.state, row, facts);
    facts = factsAfter(row.event, system, facts, next.effects);
    decision = {
      state: next.state,
      steps: [...decision.steps, ...next.steps],
      effects: [...decision.effects, ...next.effects],
      milestones: [...decision.milestones, ...next.milestones],
      facts,
    };
  }
  throw new Error(`the case machine does not settle from ${start.state}`);
}

/** The clock starts and the images count as received when they are there, whatever the state of the case is then. */
function withDerived(decision: Decision, facts: Facts): Decision {
  const open = openStates.includes(decision.state) && decision.state !== 'draft' && decision.state !== 'sent';
  const milestones = new Set(decision.milestones);
  if (facts.images.instances > 0 && imagesComplete(facts)) milestones.add('images-received');
  return {
    ...decision,
    facts: open && imagesReadable(facts) ? { ...facts, clockStarted: true } : facts,
    effects: [...new Set(decision.effects)],
    milestones: [...milestones].filter((milestone) => !facts.milestones.includes(milestone)),
  };
}

/** What the event itself makes true, before the case settles. */
function factsAfter(event: CaseEvent, actor: CaseActor, facts: Facts, effects: readonly Effect[]): Facts {
  switch (event) {
    case 'acknowledge':
      return effects.includes('ask-missing') ? { ...facts, question: true } : facts;
    case 'advance':
      return effects.includes('open-second-reading')
        ? { ...without(facts, 'secondReader'), secondReading: 'wanted' }
        : facts;
    case 'protocol':
      return { ...facts, protocolGiven: true };
    case 'ask':
    case 'ask-imaging':
      return { ...facts, question: true };
    case 'answer':
      return { ...facts, question: false };
    case 'ask-cancellation':
      return { ...facts, cancellationAsked: true };
    case 'decline-cancellation':
      return { ...facts, cancellationAsked: false };
    case 'complete-exam':
      return { ...facts, flow4: true };
    case 'complete-images':
      return { ...facts, images: { ...facts.images, declaredComplete: true } };
    case 'confirm-images':
      return { ...facts, images: { ...facts.images, provisional: false } };
    case 'assign':
      return { ...facts, assignedTo: facts.input.reader };
    case 'claim':
      return { ...facts, owner: actor.reference };
    case 'release':
    case 'interrupt':
      return withoutSecondReading(without(facts, 'owner'));
    case 'hand-over':
      return { ...withoutSecondReading(without(facts, 'owner')), assignedTo: facts.input.reader };
    case 'phone-exchange':
      return { ...facts, phoneExchange: true };
    case 'sign':
      return {
        ...facts,
        ...(effects.includes('open-second-reading') ? withoutSecondReading({ ...facts, secondReading: 'none' }) : {}),
        report: 'final',
        reportAcknowledged: false,
        question: false,
        ...(effects.includes('open-second-reading') ? { secondReading: 'wanted' } : {}),
      };
    case 'report-received':
      return { ...facts, reportAcknowledged: true };
    case 'request-second-reading':
      return { ...without(facts, 'secondReader'), secondReading: 'wanted' };
    case 'claim-second-reading':
      return { ...facts, secondReading: 'taken', secondReader: actor.reference };
    case 'release-second-reading':
      return facts.secondReading === 'taken' ? { ...without(facts, 'secondReader'), secondReading: 'wanted' } : facts;
    case 'complete-second-reading':
      return {
        ...facts,
        secondReading: 'done',
        ...(effects.includes('open-addendum') ? { addendum: 'wanted', addendumOnRequest: false } : {}),
      };
    case 'declare-critical':
      return { ...facts, critical: 'open' };
    case 'acknowledge-critical':
      return { ...facts, critical: 'acknowledged' };
    case 'request-rereading':
    case 'open-addendum':
      return { ...facts, addendum: 'wanted', addendumOnRequest: event === 'request-rereading' };
    case 'claim-addendum':
      return { ...facts, addendum: 'taken', addendumReader: actor.reference };
    case 'release-addendum':
      return facts.addendum === 'taken' ? { ...without(facts, 'addendumReader'), addendum: 'wanted' } : facts;
    case 'sign-addendum':
      return {
        ...without(facts, 'addendumReader'),
        report: 'final',
        reportAcknowledged: false,
        addendum: 'none',
        addendumOnRequest: false,
        complement: facts.complement === 'required' && facts.input.complement ? 'done' : facts.complement,
      };
    case 'close-addendum':
      return { ...without(facts, 'addendumReader'), addendum: 'none', addendumOnRequest: false };
    case 'declare-error':
      return { ...facts, errorDeclaredBy: actor.reference };
    case 'withdraw-error':
      return without(facts, 'errorDeclaredBy');
    case 'enter-in-error':
      return {
        ...withoutSecondReading(without(without(facts, 'addendumReader'), 'errorDeclaredBy')),
        addendum: 'none',
        addendumOnRequest: false,
      };
    default:
      return facts;
  }
}

function without(facts: Facts, fact: 'owner' | 'secondReader' | 'addendumReader' | 'errorDeclaredBy'): Facts {
  const { [fact]: _gone, ...rest } = facts;
  return rest as Facts;
}

/** One that was done stays done: it was about the images, whoever reads next. */
function withoutSecondReading(facts: Facts): Facts {
  return facts.secondReading === 'done' ? facts : { ...without(facts, 'secondReader'), secondReading: 'none' };
}

const french: Record<Who, string> = {
  radiologist: 'radiologue',
  expert: 'expert',
  requester: 'demandeur',
  technologist: 'manipulateur',
  coordinator: 'coordonnateur',
  quality: 'qualité et identitovigilance',
  auditor: 'auditeur',
  administrator: 'administrateur',
  ris: "logiciel de l'établissement",
  conformance: 'compte de conformité',
  system: 'plateforme',
  reader: 'lecteur de ce type de dossier',
  owner: 'lecteur en charge du dossier',
  'second-reader': 'deuxième lecteur',
  'addendum-reader': "lecteur chargé de l'additif ou de la relecture",
  declarer: "qui a déclaré l'erreur",
};

/** French name of who may. */
export function whoText(who: Who): string {
  return french[who];
}
