/** The clocks of a case on its Task: extension `clock`, one for each run (docs/fhir-conventions.md). Pure. */
import type { Extension, Task } from '@medplum/fhirtypes';
import { type ClockName, clocks } from '../case/index.ts';
import { part, structureDefinition } from '../codes.ts';

/** One run of one clock. */
export interface CaseClock {
  name: ClockName;
  started: Date;
  /** Legal deadline: no pause moves it. */
  due: Date;
  /** Name of the clause. */
  rule: string;
  /** Versioned reference of the contract that carries it; absent for the defaults. */
  contract?: string;
  /** French: which clause, under which conditions, how long. */
  why: string;
  /** The delay was missed, or is. */
  late: boolean;
  /** The establishment owes an answer since then. */
  pausedSince?: Date;
  /** Pauses that are over. */
  pausedMs: number;
  stopped?: Date;
}

/** In the order they started. */
export function clocksOf(task: Task): CaseClock[] {
  return (task.extension ?? []).flatMap((extension) => readClock(extension, task) ?? []);
}

/** The runs that have not stopped. */
export function runningOf(task: Task): CaseClock[] {
  return clocksOf(task).filter(({ stopped }) => stopped === undefined);
}

/** The reading's clock, running or stopped; the last run when it ran more than once. */
export function readingClockOf(task: Task): CaseClock | undefined {
  return clocksOf(task).findLast(({ name }) => name === 'interpretation');
}

/** Writes the runs; `restriction.period` is the reading's, which every FHIR client understands. */
export function withClocks<T extends Task>(task: T, runs: readonly CaseClock[]): T {
  const others = (task.extension ?? []).filter(({ url }) => url !== structureDefinition.clock);
  const extension = [...others, ...runs.map(clockExtension)];
  const { extension: _old, ...rest } = task;
  const bare = (extension.length > 0 ? { ...rest, extension } : rest) as T;
  const reading = runs.findLast(({ name }) => name === 'interpretation');
  if (reading === undefined) return bare;
  const period = { start: reading.started.toISOString(), end: reading.due.toISOString() };
  return { ...bare, restriction: { ...task.restriction, period } };
}

/** Time during which the establishment owed an answer, a pause under way included. */
export function pausedMsOf(clock: CaseClock, now: Date): number {
  return clock.pausedMs + (clock.pausedSince === undefined ? 0 : now.getTime() - clock.pausedSince.getTime());
}

function readClock(extension: Extension, task: Task): CaseClock | undefined {
  if (extension.url !== structureDefinition.clock) return undefined;
  const date = (url: string): Date | undefined => {
    const value = part(extension, url)?.valueDateTime;
    return value === undefined ? undefined : new Date(value);
  };
  const code = part(extension, 'name')?.valueCode;
  const started = date('started');
  // Written before there were several: the reading's, its deadline in the restriction alone.
  const name = code === undefined ? 'interpretation' : clocks.find((clock) => clock.name === code)?.name;
  const due = date('due') ?? (task.restriction?.period?.end ? new Date(task.restriction.period.end) : undefined);
  if (name === undefined || started === undefined || due === undefined) return undefined;
  const contract = part(extension, 'contract')?.valueReference?.reference;
  const [pausedSince, stopped] = [date('pausedSince'), date('stopped')];
  return {
    name,
    started,
    due,
    rule: part(extension, 'rule')?.valueCode ?? '',
    ...(contract === undefined ? {} : { contract }),
    why: part(extension, 'why')?.valueString ?? '',
    late: part(extension, 'late')?.valueBoolean ?? false,
    ...(pausedSince === undefined ? {} : { pausedSince }),
    pausedMs: Math.round((part(extension, 'pausedTotal')?.valueDuration?.value ?? 0) * 1000),
    ...(stopped === undefined ? {} : { stopped }),
  };
}

function clockExtension(clock: CaseClock): Extension {
  const { name, started, due, rule, contract, why, late, pausedSince, pausedMs, stopped } = clock;
  return {
    url: structureDefinition.clock,
    extension: [
      { url: 'name', valueCode: name },
      { url: 'started', valueDateTime: started.toISOString() },
      { url: 'due', valueDateTime: due.toISOString() },
      ...(rule === '' ? [] : [{ url: 'rule', valueCode: rule }]),
      ...(contract === undefined ? [] : [{ url: 'contract', valueReference: { reference: contract } }]),
      ...(why === '' ? [] : [{ url: 'why', valueString: why }]),
      { url: 'late', valueBoolean: late },
      ...(pausedSince === undefined ? [] : [{ url: 'pausedSince', valueDateTime: pausedSince.toISOString() }]),
      ...(pausedMs === 0 ? [] : [{ url: 'pausedTotal', valueDuration: seconds(pausedMs) }]),
      ...(stopped === undefined ? [] : [{ url: 'stopped', valueDateTime: stopped.toISOString() }]),
    ],
  };
}

const seconds = (ms: number) => ({ value: ms / 1000, unit: 's', system: 'http://unitsofmeasure.org', code: 's' });
