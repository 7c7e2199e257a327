/** What the graph of all worlds shows as a whole. */
import { type ClockName, runningClocks, stateDefinition } from '../../../src/teleradiology/case/index.ts';
import { type Cause, clockNames, type Graph, reaching } from './explore.ts';
import { factsOf, type World } from './worlds.ts';

const everything: readonly Cause[] = ['person', 'clock', 'platform', 'decided', 'error', 'luck'];

const isEnd = ({ state }: World): boolean =>
  state === 'delivered' || (state !== 'entered-in-error' && stateDefinition(state)?.final === true);

/** Worlds people cannot end by themselves, entering the case in error left aside: nothing has to come, nothing has to be granted. */
export function deadEnds(graph: Graph): World[] {
  const ended = reaching(graph, ['person'], isEnd);
  return graph.worlds.filter((world, index) => ended[index] === 0 && world.state !== 'entered-in-error');
}

/** Worlds from which a clock that runs can never stop. */
export function endlessClocks(graph: Graph): { clock: ClockName; world: World }[] {
  return clockNames.flatMap((clock) => {
    const runs = graph.worlds.map(
      (world) => world.state !== 'none' && runningClocks(world.state, factsOf(world, graph.terms)).includes(clock),
    );
    const numbers = new Map(graph.worlds.map((world, index) => [world, index]));
    const stops = reaching(graph, everything, (world) => runs[numbers.get(world) ?? -1] === false);
    return graph.worlds.flatMap((world, index) => (stops[index] === 0 ? [{ clock, world }] : []));
  });
}

/** One line of counts. */
export function report({ worlds, edges, counts, taken }: Graph): string {
  const count = (value: number): string => value.toLocaleString('en');
  return [
    `${count(worlds.length)} worlds`,
    `${count(edges.reduce((sum, each) => sum + each.length, 0))} edges`,
    `${count(counts.calls)} calls`,
    `${count(counts.accepted)} accepted`,
    `${count(counts.refused)} refused`,
    `${count(counts.faulty)} with a fault`,
    `${count(counts.times)} points of running clocks`,
    `${taken.size} rows taken`,
    `${count(counts.checked)} checks of invariants`,
  ].join(', ');
}
