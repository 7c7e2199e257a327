/** Whom to call, as `Organization/[id]/$on-duty` tells it. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import { type DutyKind, dutyKinds, type LocalFormats, partOf, textOf } from './month.ts';

export interface OnCall {
  kind: DutyKind;
  name: string;
  phone: string;
  email: string;
  since: string;
  until: string;
}

export interface Duty {
  establishment: string;
  at: string;
  timeZone: string;
  covered: boolean;
  /** In the order in which they are called. */
  now: OnCall[];
  next?: OnCall;
}

export function dutyOf(answer: Parameters): Duty {
  const all = answer.parameter ?? [];
  const named = (name: string): OnCall[] => all.filter((each) => each.name === name).map(({ part }) => onCallOf(part));
  const [next] = named('next');
  return {
    establishment: (partOf(all, 'establishment') as { display?: string } | undefined)?.display ?? '',
    at: textOf(all, 'at'),
    timeZone: textOf(all, 'timeZone') || 'Europe/Paris',
    covered: partOf(all, 'covered') === true,
    now: named('duty'),
    ...(next ? { next } : {}),
  };
}

function onCallOf(part: readonly ParametersParameter[] | undefined): OnCall {
  return {
    kind: dutyKinds.find((each) => each === partOf(part, 'kind')) ?? 'radiologist',
    name: (partOf(part, 'practitioner') as { display?: string } | undefined)?.display ?? '',
    phone: textOf(part, 'phone'),
    email: textOf(part, 'email'),
    since: textOf(part, 'since'),
    until: textOf(part, 'until'),
  };
}

/** Until somebody's shift ends or the next one begins; infinity when nobody is known. */
export function untilNextMs(duty: Duty | undefined, now: Date): number {
  const ends = [...(duty?.now ?? []).map(({ until }) => until), ...(duty?.next ? [duty.next.since] : [])];
  return Math.min(...ends.map((end) => Date.parse(end) - now.getTime()).filter((ms) => ms > 0));
}

/** `20:00` of today, else `25/11/2026 08:00`, where the establishment is; with the French word for until or from before it. */
export function untilText(instant: string, now: Date, formats: LocalFormats): string {
  return formats.day(instant) === formats.day(now.toISOString())
    ? `jusqu’à ${formats.hour(instant)}`
    : `jusqu’au ${dayAndHour(instant, formats)}`;
}

export function fromText(instant: string, now: Date, formats: LocalFormats): string {
  return formats.day(instant) === formats.day(now.toISOString())
    ? `à partir de ${formats.hour(instant)}`
    : `à partir du ${dayAndHour(instant, formats)}`;
}

const dayAndHour = (instant: string, formats: LocalFormats): string =>
  `${formats.day(instant).split('-').reverse().join('/')} ${formats.hour(instant)}`;
