/** Breadth first through every world that the case machine can reach: the worlds, the edges between them, what was refused on the way. */
import {
  type CaseActor,
  type CaseEvent,
  type ClockName,
  clocks,
  type Decision,
  decide,
  type Facts,
  runningClocks,
  settleFrom,
  type Transition,
  transitions,
} from '../../../src/teleradiology/case/index.ts';
import { type Taken, takenInvariants, worldInvariants } from '../../../src/teleradiology/case/invariants.ts';
import { actors, actorsIn, changes, faults, ways } from './calls.ts';
import { before, factsOf, keyOf, type Terms, type World, worldOf } from './worlds.ts';

/** Why one world leads to another. */
export type Cause =
  | 'person'
  /** The platform, because a delay is over. */
  | 'clock'
  | 'platform'
  /** Somebody found the case to be an error. */
  | 'error'
  /** An identity problem is decided. */
  | 'decided'
  /** What need not happen. */
  | 'luck';

export interface Edge {
  to: number;
  cause: Cause;
}

export interface Graph {
  terms: Terms;
  worlds: World[];
  /** Edges by world, without repetition. */
  edges: Edge[][];
  counts: { calls: number; accepted: number; refused: number; faulty: number; times: number; checked: number };
  /** Rows of the table taken at least once. */
  taken: Set<Transition>;
  violations: Map<string, string>;
}

export interface Depth {
  /** Each fault once for each call from each state by what guards can tell apart; finely, also by whatever else is open on the case. */
  fine: boolean;
  /** Errors are declared, too: nearly every world twice. */
  errors: boolean;
  /** Identities are doubted, too, beside those that are known to be wrong: half as many worlds again. */
  doubts: boolean;
}

export function explore(terms: Terms, depth: Depth): Graph {
  const graph: Graph = {
    terms,
    worlds: [],
    edges: [],
    counts: { calls: 0, accepted: 0, refused: 0, faulty: 0, times: 0, checked: 0 },
    taken: new Set(),
    violations: new Map(),
  };
  const known = new Map<number, number>();
  const tried = new Map<string, Set<number>>();
  const { counts, violations } = graph;

  const violated = (name: string, subject: unknown): void => {
    if (!violations.has(name)) violations.set(name, JSON.stringify(subject));
  };
  const enter = (world: World): number => {
    const key = keyOf(world);
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, graph.worlds.length);
    graph.worlds.push(world);
    if (world.state !== 'none') {
      const subject = { state: world.state, facts: factsOf(world, terms) };
      for (const invariant of worldInvariants) {
        counts.checked++;
        if (!invariant.holds(subject)) violated(invariant.name, world);
      }
    }
    return graph.worlds.length - 1;
  };

  const triedIn = (kind: string): Set<number> => {
    const known = tried.get(kind) ?? new Set<number>();
    tried.set(kind, known);
    return known;
  };
  const first = (known: Set<number>, key: number): boolean => !known.has(key) && known.add(key) !== undefined;

  enter(before);
  for (let index = 0; index < graph.worlds.length; index++) {
    const world = graph.worlds[index] as World;
    const facts = factsOf(world, terms);
    const edges = new Map<string, Edge>();
    graph.edges.push([]);
    const leads = (decision: Decision, billed: World['billed'], cause: Cause): void => {
      const to = enter(worldOf(decision.state, decision.facts, billed));
      if (to !== index) edges.set(`${to} ${cause}`, { to, cause });
    };
    const call = (event: CaseEvent, actor: CaseActor, given: Facts, cause: Cause): boolean => {
      counts.calls++;
      const result = decide(world.state, event, actor, given);
      if ('refusal' in result) {
        counts.refused++;
        return false;
      }
      const { decision } = result;
      counts.accepted++;
      const taken: Taken = { from: world.state, event, actor, facts: given, decision };
      for (const invariant of takenInvariants) {
        counts.checked++;
        if (!invariant.holds(taken)) violated(invariant.name, taken);
      }
      const bills = decision.effects.includes('charge-act') ? 1 : 0;
      const billed = decision.effects.includes('reverse-charge') ? 0 : Math.min(2, world.billed + bills);
      leads(decision, billed as World['billed'], cause);
      note(graph, decision);
      return true;
    };

    const { state, urgent, images, secondReading, addendum } = world;
    const { identity, quarantined, question, criticalOpen, cancellationAsked } = world;
    const beside = depth.fine ? [identity, quarantined, question, criticalOpen, cancellationAsked].join() : '';
    const faultsTried = triedIn([state, urgent, images, secondReading, addendum, beside].join());
    const roleTried = triedIn(state);
    for (const event of eventsFrom(world)) {
      if (event === 'declare-error' && !depth.errors) continue;
      const given = ways(event, facts);
      for (const actor of actorsIn(world)) {
        const number = 100 * events.indexOf(event) + actors.indexOf(actor);
        // Whom no row of the event names, and who stands for every role, need one call from each state.
        if (!namedFor(event).has(actor.roles[0] ?? '') && !first(roleTried, number)) continue;
        const cause = event === 'enter-in-error' ? 'error' : causeOf(event, actor);
        for (const [way, each] of given.entries()) {
          if (!call(event, actor, each, cause)) continue;
          if (!first(faultsTried, 10_000 * way + number)) continue;
          for (const [, spoil] of faults) {
            counts.faulty++;
            call(event, actor, spoil(each, actor), cause);
          }
        }
      }
    }
    for (const change of changes) {
      if (!change.possible(world) || (change.doubt && !depth.doubts)) continue;
      const changed = change.apply(facts);
      const decision = world.state === 'none' ? undefined : settleFrom(world.state, { ...changed, input: {} });
      if (decision === undefined) continue;
      leads(decision, world.billed, change.decided ? 'decided' : 'luck');
      note(graph, decision);
    }
    passTime(graph, world, facts, violated);
    graph.edges[index] = [...edges.values()];
  }
  return graph;
}

const byState = new Map<string, readonly CaseEvent[]>();

/** Events of which the table has a row from this state; the others are refused, which exploration.test.ts shows apart. */
function eventsFrom({ state }: World): readonly CaseEvent[] {
  const known = byState.get(state);
  if (known !== undefined) return known;
  const events = [...new Set(transitions.filter((row) => row.from.includes(state)).map((row) => row.event))].filter(
    (event) => event !== 'advance' && event !== 'acknowledge',
  );
  byState.set(state, events);
  return events;
}

const named = new Map<CaseEvent, ReadonlySet<string>>();

/** Roles that some row of the event names; readers by what they may be or hold. */
function namedFor(event: CaseEvent): ReadonlySet<string> {
  const known = named.get(event);
  if (known !== undefined) return known;
  const who = new Set<string>(rowsByEvent.get(event)?.flatMap((row) => row.who));
  if (['reader', 'owner', 'second-reader', 'addendum-reader'].some((each) => who.has(each))) who.add('radiologist');
  if (who.has('declarer')) who.add('technologist');
  named.set(event, who);
  return who;
}

/** Events that come from outside and need not come. */
const lucky: readonly CaseEvent[] = ['images', 'images-quiet', 'complete-exam'];

function causeOf(event: CaseEvent, actor: CaseActor): Cause {
  if (lucky.includes(event)) return 'luck';
  if (actor.kind === 'person') return 'person';
  return clocks.some(({ raises }) => raises === event) ? 'clock' : 'platform';
}

const rowsByEvent = Map.groupBy(transitions, ({ event }) => event);
const events = [...rowsByEvent.keys()];

/** Remembers which rows were taken: a step names its event and states, the effects tell the rows of one event apart. */
function note({ taken }: Graph, { steps, effects }: Decision): void {
  for (const step of steps)
    for (const row of rowsByEvent.get(step.event) ?? [])
      if (
        !taken.has(row) &&
        row.from.includes(step.from) &&
        (row.to === step.to || (row.to === 'same' && step.from === step.to)) &&
        (row.effects ?? []).every((effect) => effects.includes(effect))
      )
        taken.add(row);
}

/** Before its reminders, after them, and when it is over: each running clock has somebody to tell at each point, or does something legal. */
function passTime(graph: Graph, world: World, facts: Facts, violated: (name: string, subject: unknown) => void): void {
  if (world.state === 'none') return;
  for (const name of runningClocks(world.state, facts)) {
    const clock = clocks.find((each) => each.name === name);
    graph.counts.times += 3;
    if (clock === undefined || clock.escalates.length === 0) violated(`clock ${name} escalates to nobody`, world);
    if (clock?.raises === undefined) continue;
    const platform: CaseActor = { reference: 'Device/passerelle', roles: ['system'], kind: 'system' };
    if ('refusal' in decide(world.state, clock.raises, platform, { ...facts, input: {} }))
      violated(`clock ${name} raises ${clock.raises}, which is refused`, world);
  }
}

/** Worlds from which, by edges of these causes, one of the goals is reached. */
export function reaching(graph: Graph, causes: readonly Cause[], goal: (world: World) => boolean): Uint8Array {
  const backwards: number[][] = graph.worlds.map(() => []);
  for (const [from, edges] of graph.edges.entries())
    for (const { to, cause } of edges) if (causes.includes(cause)) backwards[to]?.push(from);
  const reached = new Uint8Array(graph.worlds.length);
  const open = graph.worlds.flatMap((world, index) => (goal(world) ? [index] : []));
  for (const index of open) reached[index] = 1;
  for (let index = open.pop(); index !== undefined; index = open.pop())
    for (const from of backwards[index] ?? [])
      if (reached[from] === 0) {
        reached[from] = 1;
        open.push(from);
      }
  return reached;
}

export const clockNames: readonly ClockName[] = clocks.map(({ name }) => name);
