/**
 * Is there a serial order of the requests, respecting which of them ended before others began, that explains every answer and the
 * history the server tells in the end? Versions give the order of writes and where reads stand between them; a cycle refutes it.
 */
import type { Observation, Told, Version } from './log.ts';

const nameOf = ({ ref, version }: Version) => `${ref}#${version}`;

/** Everything that no serial order explains; empty when one does. */
export function unexplained(observations: readonly Observation[], told: readonly Told[]): string[] {
  const problems: string[] = [];
  const history = new Map(told.map((version) => [nameOf(version), version]));
  const writers = new Map<string, Observation>();
  for (const observation of observations) {
    for (const version of observation.wrote) {
      const other = writers.get(nameOf(version));
      if (other) problems.push(`${nameOf(version)} was made by ${other.name} and by ${observation.name}`);
      writers.set(nameOf(version), observation);
    }
  }
  const world = { problems, history, writers, observations };
  checkHistory(world, told);
  for (const observation of observations) checkAnswer(world, observation);
  const keys = checkKeys(world, told);
  const cycle = findCycle(observations, edgesOf(world, keys));
  if (cycle) problems.push(`no serial order: ${cycle.join(' → ')}`);
  return problems;
}

interface World {
  problems: string[];
  history: ReadonlyMap<string, Told>;
  writers: ReadonlyMap<string, Observation>;
  observations: readonly Observation[];
}

/** Versions are gapless, in order of time, and each is what one accepted write made. */
function checkHistory({ problems, history, writers }: World, told: readonly Told[]): void {
  for (const version of told) {
    const writer = writers.get(nameOf(version));
    if (!writer) problems.push(`${nameOf(version)} was made by no accepted write`);
    else if (!version.isDelete && version.token !== writer.token)
      problems.push(`${nameOf(version)} is not what ${writer.name} sent`);
    const before = history.get(nameOf({ ref: version.ref, version: version.version - 1 }));
    if (version.version > 1 && !before) problems.push(`${nameOf(version)} has no version before it`);
    if (before && before.lastUpdated > version.lastUpdated) problems.push(`${nameOf(version)} is older than its past`);
    if (before?.isDelete && version.isDelete) problems.push(`${nameOf(version)} deletes what was deleted`);
  }
}

function checkAnswer(world: World, observation: Observation): void {
  const { problems, history } = world;
  const { name, wrote, read, ifMatch, tested, missing, present, nobody, linked } = observation;
  for (const version of wrote) {
    const kept = history.get(nameOf(version));
    if (!kept) problems.push(`${name} was answered ${nameOf(version)}, which is not in the history`);
    else if (kept.isDelete !== (version.isDelete === true)) problems.push(`${name} did not make ${nameOf(version)}`);
    if (ifMatch?.ref === version.ref && version.version !== ifMatch.version + 1)
      problems.push(`${name} was accepted and made ${nameOf(version)}`);
    if (tested?.ref === version.ref) {
      const before = history.get(nameOf({ ref: version.ref, version: version.version - 1 }));
      if (before?.count !== tested.count) problems.push(`${name} tested ${tested.count}, it was ${before?.count}`);
    }
  }
  for (const version of read) {
    const kept = history.get(nameOf(version));
    if (!kept || kept.isDelete) problems.push(`${name} saw ${nameOf(version)}, which is not in the history`);
    else if (version.text !== undefined && version.text !== kept.text)
      problems.push(`${name} saw another text of ${nameOf(version)}`);
  }
  if (linked && !history.get(nameOf(linked.from))?.text?.includes(`"${linked.to}"`))
    problems.push(`${name} does not refer to ${linked.to}`);
  // A refusal must have been right at some moment of the request.
  if (observation.status === 412 && ifMatch && isCurrentThroughout(world, ifMatch, observation))
    problems.push(`${name} was refused though ${nameOf(ifMatch)} was current`);
  if (missing && !mayBeMissing(world, missing, observation)) problems.push(`${name} did not find what was there`);
  if (present && !mayBeLive(world, present, observation)) problems.push(`${name} found what was not there`);
  if (nobody && isHeldThroughout(world, nobody, observation)) problems.push(`${name} missed the match of ${nobody}`);
}

type Window = Pick<Observation, 'start' | 'end'>;

/** Surely current from before the request began until after it ended. */
function isCurrentThroughout({ writers }: World, { ref, version }: Version, { start, end }: Window): boolean {
  const made = writers.get(nameOf({ ref, version }));
  const next = writers.get(nameOf({ ref, version: version + 1 }));
  return made !== undefined && made.end < start && (next === undefined || next.start > end);
}

/** May have been current at some moment of the request. */
function mayBeCurrent({ writers }: World, { ref, version }: Version, { start, end }: Window): boolean {
  const made = writers.get(nameOf({ ref, version }));
  const next = writers.get(nameOf({ ref, version: version + 1 }));
  return made !== undefined && made.start < end && (next === undefined || next.end > start);
}

function versionsOf({ history }: World, ref: string): Told[] {
  const versions: Told[] = [];
  for (let version = 1; ; version++) {
    const told = history.get(nameOf({ ref, version }));
    if (!told) return versions;
    versions.push(told);
  }
}

function mayBeMissing(world: World, { ref, was }: NonNullable<Observation['missing']>, window: Window): boolean {
  const created = world.writers.get(nameOf({ ref, version: 1 }));
  const maybeUnknown = created === undefined || created.end > window.start;
  const maybeDeleted = versionsOf(world, ref).some(
    (version) => version.isDelete && mayBeCurrent(world, version, window),
  );
  return (was !== 'deleted' && maybeUnknown) || (was !== 'unknown' && maybeDeleted);
}

function mayBeLive(world: World, ref: string, window: Window): boolean {
  return versionsOf(world, ref).some((version) => !version.isDelete && mayBeCurrent(world, version, window));
}

/** One resource surely had the identifier during the whole request. */
function isHeldThroughout(world: World, key: string, { start, end }: Window): boolean {
  return [...world.history.values()].some((first) => {
    if (first.version !== 1 || first.key !== key) return false;
    const deletion = versionsOf(world, first.ref).find(({ isDelete }) => isDelete);
    const created = world.writers.get(nameOf(first));
    const deleted = deletion && world.writers.get(nameOf(deletion));
    return created !== undefined && created.end < start && (!deleted || deleted.start > end);
  });
}

/** Resources that had an identifier had it one after another. @returns by identifier, in order. */
function checkKeys(world: World, told: readonly Told[]): Map<string, Told[]> {
  const keys = Map.groupBy(
    told.filter(({ key, version }) => key !== undefined && version === 1),
    ({ key }) => key!,
  );
  for (const [key, holders] of keys) {
    holders.sort((a, b) => a.lastUpdated - b.lastUpdated || (a.ref < b.ref ? -1 : 1));
    for (const holder of holders.slice(0, -1))
      if (!versionsOf(world, holder.ref).at(-1)!.isDelete)
        world.problems.push(`${key} is the identifier of ${holder.ref} and of a later resource`);
  }
  return keys;
}

type Edge = readonly [from: Observation, to: Observation];

/** Who must come before whom: writes by version, reads between two writes, holders of an identifier one after another. */
function edgesOf(world: World, keys: ReadonlyMap<string, readonly Told[]>): Edge[] {
  const { writers, observations } = world;
  const edges: Edge[] = [];
  const after = (from: Observation | undefined, to: Observation | undefined) => {
    if (from && to && from !== to) edges.push([from, to]);
  };
  for (const observation of observations) {
    for (const { ref, version } of observation.wrote)
      after(writers.get(nameOf({ ref, version: version - 1 })), observation);
    for (const { ref, version } of observation.read) {
      after(writers.get(nameOf({ ref, version })), observation);
      after(observation, writers.get(nameOf({ ref, version: version + 1 })));
    }
  }
  for (const holders of keys.values()) {
    for (const [index, holder] of holders.entries()) {
      const before = holders[index - 1];
      const deletion = before && versionsOf(world, before.ref).at(-1);
      if (deletion) after(writers.get(nameOf(deletion)), writers.get(nameOf(holder)));
    }
  }
  return edges;
}

/** A cycle among the requests, their order in time included; undefined when there is none. */
function findCycle(observations: readonly Observation[], edges: readonly Edge[]): string[] | undefined {
  // Moments in order: a request comes before the moment of its end, and after the last moment before its start.
  const byEnd = [...observations].sort((a, b) => a.end - b.end);
  const number = new Map(byEnd.map((observation, index) => [observation, index]));
  const size = byEnd.length;
  const next: number[][] = Array.from({ length: 2 * size }, () => []);
  for (const [index, { start }] of byEnd.entries()) {
    next[index]!.push(size + index);
    if (index > 0) next[size + index - 1]!.push(size + index);
    const before = countBelow(byEnd, start);
    if (before > 0) next[size + before - 1]!.push(index);
  }
  for (const [from, to] of edges) next[number.get(from)!]!.push(number.get(to)!);

  const state = new Uint8Array(2 * size);
  for (let root = 0; root < 2 * size; root++) {
    if (state[root] !== 0) continue;
    const path: { node: number; at: number }[] = [{ node: root, at: 0 }];
    state[root] = 1;
    while (path.length > 0) {
      const top = path.at(-1)!;
      const target = next[top.node]![top.at++];
      if (target === undefined) {
        state[top.node] = 2;
        path.pop();
      } else if (state[target] === 1) {
        const start = path.findIndex(({ node }) => node === target);
        return path
          .slice(start)
          .filter(({ node }) => node < size)
          .map(({ node }) => byEnd[node]!.name);
      } else if (state[target] === 0) {
        state[target] = 1;
        path.push({ node: target, at: 0 });
      }
    }
  }
  return undefined;
}

/** How many requests ended before a moment. */
function countBelow(byEnd: readonly Observation[], moment: number): number {
  let low = 0;
  let high = byEnd.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byEnd[middle]!.end < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
