/** The clocks of a case as its Task shows them: extension `clock`, one for each run (docs/fhir-conventions.md). */
import type { Extension, Task } from '@medplum/fhirtypes';
import { extensions } from '../fhir/systems.ts';
import { type CountdownLevel, countdown, durationText } from '../time/countdown.ts';

export interface ShownClock {
  /** Code of CodeSystem clock. */
  name: string;
  /** French. */
  label: string;
  started: Date | undefined;
  /** Legal deadline. */
  due: Date | undefined;
  late: boolean;
  /** Which clause, under which conditions, how long; empty where nobody wrote it. */
  why: string;
  pausedSince: Date | undefined;
  pausedMs: number;
  stopped: Date | undefined;
}

const labels: Readonly<Record<string, string>> = {
  identity: "Vérification d'identité",
  information: 'Complément demandé',
  protocol: 'Protocole',
  images: 'Réception des images',
  expiry: "Attente d'images",
  interpretation: 'Interprétation',
  lease: 'Lecture sans activité',
  'second-reading': 'Deuxième lecture',
  complement: 'Complément de compte rendu',
  critical: 'Résultat critique',
  delivery: 'Remise du compte rendu',
  addendum: 'Additif ou relecture',
  error: 'Erreur déclarée',
};

/** In the order they started. */
export function clocksOf(task: Task): ShownClock[] {
  return (task.extension ?? []).filter(({ url }) => url === extensions.clock).map((one) => read(one, task));
}

/** Clocks that somebody owes work to, in few words; a lease, the month without images and the way of a report are not counted down. */
const owed: Readonly<Record<string, string>> = {
  critical: 'résultat critique',
  interpretation: 'lecture',
  identity: 'identité',
  information: 'réponse du site',
  protocol: 'protocole',
  images: 'images',
  'second-reading': 'deuxième lecture',
  complement: 'complément',
  addendum: 'additif',
  error: 'erreur à confirmer',
};

export interface OwedClock extends ShownClock {
  due: Date;
  /** What is owed, in few words. */
  what: string;
}

/** The running clock to count down: a critical result before all, then the reading, else what is due first. */
export function owedClock(task: Task): OwedClock | undefined {
  const running = clocksOf(task)
    .flatMap((clock): OwedClock[] => {
      const what = owed[clock.name];
      const { due } = clock;
      return what === undefined || due === undefined || clock.stopped !== undefined ? [] : [{ ...clock, due, what }];
    })
    .sort((a, b) => a.due.getTime() - b.due.getTime());
  const named = (name: string): OwedClock | undefined => running.find((clock) => clock.name === name);
  return named('critical') ?? named('interpretation') ?? running[0];
}

/** The reading's clock, which decides whether the case is late. */
export function readingClock(task: Task): ShownClock | undefined {
  return clocksOf(task).findLast(({ name }) => name === 'interpretation');
}

function read(extension: Extension, task: Task): ShownClock {
  const part = (url: string): Extension | undefined => extension.extension?.find((one) => one.url === url);
  const date = (value: string | undefined): Date | undefined => (value === undefined ? undefined : new Date(value));
  // Before there were several, a case had the reading's alone.
  const name = part('name')?.valueCode ?? 'interpretation';
  return {
    name,
    label: labels[name] ?? name,
    started: date(part('started')?.valueDateTime),
    due: date(part('due')?.valueDateTime ?? task.restriction?.period?.end),
    late: part('late')?.valueBoolean === true,
    why: part('why')?.valueString ?? '',
    pausedSince: date(part('pausedSince')?.valueDateTime),
    pausedMs: (part('pausedTotal')?.valueDuration?.value ?? 0) * 1000,
    stopped: date(part('stopped')?.valueDateTime),
  };
}

export interface ClockTime {
  level: CountdownLevel | 'kept';
  text: string;
}

/** Time left before the legal deadline; once stopped, whether it was kept. */
export function legalTime(clock: ShownClock, now: Date): ClockTime {
  if (clock.stopped === undefined) return countdown(clock.due, clock.started, now);
  return ended(clock.due, clock.stopped);
}

/** The same without the time during which the establishment owed an answer; undefined where it never did. */
export function netTime(clock: ShownClock, now: Date): ClockTime | undefined {
  const end = clock.stopped ?? now;
  const pausedMs = clock.pausedMs + (clock.pausedSince ? end.getTime() - clock.pausedSince.getTime() : 0);
  if (clock.due === undefined || (pausedMs === 0 && clock.pausedSince === undefined)) return undefined;
  const due = new Date(clock.due.getTime() + pausedMs);
  if (clock.stopped !== undefined) return ended(due, clock.stopped);
  const left = countdown(due, clock.started, now);
  return clock.pausedSince === undefined ? left : { ...left, text: `${left.text}, en pause` };
}

function ended(due: Date | undefined, stopped: Date): ClockTime {
  if (due === undefined || stopped <= due) return { level: 'kept', text: 'tenu' };
  return { level: 'late', text: `retard ${durationText(stopped.getTime() - due.getTime())}` };
}
