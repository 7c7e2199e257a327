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
  /** Events this actor may raise now. */
  legal: CaseEvent[];
}

/** @returns a decision or, when the transition is not legal, the reason. */
export function decide(
  state: Origin,
  event: CaseEvent,
  actor: CaseActor,
  facts: Facts,
): { decision: Decision } | { refusal: Refusal } {
  const row = rowOf(state, event, facts);
  if (row === undefined) {
    const lost = event === 'claim' && facts.owner !== undefined;
    const text = lost
      ? guards['no-owner'].text
      : `« ${event} » est impossible depuis l'état « ${stateDefinition(state)?.display ?? 'inexistant'} ».`;
    return { refusal: { guard: 'state', status: lost ? 409 : 422, text, legal: legalEvents(state, actor, facts) } };
  }
  if (!entitled(row, actor, facts)) {
    const text = `« ${event} » revient à : ${row.who.map(whoText).join(', ')}.`;
    return { refusal: { guard: 'role', status: 403, text, legal: legalEvents(state, actor, facts) } };
  }
  for (const name of row.guards ?? []) {
    const guard: Guard = guards[name];
    if (!guard.holds(facts, actor)) {
      const legal = legalEvents(state, actor, facts);
      return { refusal: { guard: name, status: guard.status ?? 422, text: guard.text, legal } };
    }
  }
  return { decision: settle(take(state, row, facts), factsAfter(event, actor, facts)) };
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

function rowOf(state: Origin, event: CaseEvent, facts: Facts): Transition | undefined {
  return transitions.find(
    (row) =>
      row.event === event &&
      row.from.includes(state) &&
      (row.when ?? []).every((condition) => conditions[condition](facts)),
  );
}

/** `conformance` stands for every role of people and machines; nobody stands for the system or for the owner. */
function entitled(row: Transition, actor: CaseActor, facts: Facts): boolean {
  return row.who.some((who) => {
    if (who === 'owner') return facts.owner !== undefined && facts.owner === actor.reference;
    if (who === 'system') return actor.kind === 'system';
    return actor.roles.includes(who) || actor.roles.includes('conformance');
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

function settle(start: Decision, facts: Facts): Decision {
  let decision = start;
  for (let step = 0; step < maxSteps; step++) {
    const row = rowOf(decision.state, 'acknowledge', facts) ?? rowOf(decision.state, 'advance', facts);
    if (row === undefined || !entitled(row, system, facts)) return withDerived(decision, facts);
    const next = take(decision.state, row, facts);
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
  const effects = new Set(decision.effects);
  const milestones = new Set(decision.milestones);
  if (open && !facts.clockStarted && imagesReadable(facts)) effects.add('start-clock');
  if (facts.images.instances > 0 && imagesComplete(facts)) milestones.add('images-received');
  return {
    ...decision,
    facts,
    effects: [...effects],
    milestones: [...milestones].filter((milestone) => !facts.milestones.includes(milestone)),
  };
}

/** What the event itself makes true, before the case settles. */
function factsAfter(event: CaseEvent, actor: CaseActor, facts: Facts): Facts {
  switch (event) {
    case 'protocol':
      return { ...facts, protocolGiven: true };
    case 'complete-exam':
      return { ...facts, flow4: true };
    case 'complete-images':
      return { ...facts, images: { ...facts.images, declaredComplete: true } };
    case 'confirm-images':
      return { ...facts, images: { ...facts.images, provisional: false } };
    case 'claim':
      return { ...facts, owner: actor.reference };
    case 'sign':
    case 'sign-addendum':
      return { ...facts, report: 'final' };
    default:
      return facts;
  }
}

const french: Record<Who, string> = {
  radiologist: 'radiologue',
  requester: 'demandeur',
  technologist: 'manipulateur',
  coordinator: 'coordonnateur',
  quality: 'qualité et identitovigilance',
  auditor: 'auditeur',
  administrator: 'administrateur',
  ris: "logiciel de l'établissement",
  conformance: 'compte de conformité',
  system: 'plateforme',
  owner: 'radiologue en charge du dossier',
};

/** French name of who may. */
export function whoText(who: Who): string {
  return french[who];
}
