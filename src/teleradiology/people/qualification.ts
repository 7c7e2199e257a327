/** What a reader must hold (CM-4): qualifications of our code system in `Practitioner.qualification`, pure. */
import type { Practitioner, PractitionerQualification } from '@medplum/fhirtypes';
import { Temporal } from 'temporal-polyfill';
import { codeOf, passerelle } from '../codes.ts';

export const qualificationSystem = `${passerelle}/CodeSystem/qualification`;

/** All of them are asked of a reader where anything is (`credentialsRequired`). */
export const requiredQualifications = ['diploma', 'radioprotection', 'insurance', 'liability'] as const;
export type QualificationCode = (typeof requiredQualifications)[number];

/** French names, as messages say them. */
export const qualificationNames: Readonly<Record<QualificationCode, string>> = {
  diploma: 'Diplôme',
  radioprotection: 'Attestation de formation à la radioprotection des patients',
  insurance: 'Attestation d’assurance',
  liability: 'Responsabilité civile professionnelle',
};

export interface Qualification {
  code: QualificationCode;
  /** Undefined: since ever. */
  from?: Date;
  /** First instant at which it is no longer valid; undefined: for ever. */
  until?: Date;
}

/** `valid`: every one is held now. `expired`: one is not, and was or will be. `missing`: one was never recorded. */
export type Credentials = 'valid' | 'expired' | 'missing';

/** Days of certificates are days of France: who issues them is there, wherever the reader sits. */
const certificateZone = 'Europe/Paris';

/** Qualifications of ours among those of a practitioner, in their order; others (profession, specialty) are none of this. */
export function qualificationsOf(practitioner: Pick<Practitioner, 'qualification'> | undefined): Qualification[] {
  return (practitioner?.qualification ?? []).flatMap((each) => qualificationOf(each) ?? []);
}

function qualificationOf({ code, period }: PractitionerQualification): Qualification | undefined {
  const found = requiredQualifications.find((known) => known === codeOf(code, qualificationSystem));
  if (found === undefined) return undefined;
  const from = startOf(period?.start);
  const until = endOf(period?.end);
  return { code: found, ...(from ? { from } : {}), ...(until ? { until } : {}) };
}

/** Where a reader stands over a stretch of time: now, or a whole shift. */
export function credentialsOver(held: readonly Qualification[], from: Date, to: Date = from): Credentials {
  const states = requiredQualifications.map((code) => {
    const ofCode = held.filter((each) => each.code === code);
    if (ofCode.length === 0) return 'missing';
    return covered(ofCode, from, to) ? 'valid' : 'expired';
  });
  if (states.includes('expired')) return 'expired';
  return states.includes('missing') ? 'missing' : 'valid';
}

/** Whether certificates that follow each other leave no instant of the stretch without one. */
function covered(certificates: readonly Qualification[], from: Date, to: Date): boolean {
  const end = endOfCover(certificates, from);
  return end > to.getTime() || (end === to.getTime() && to > from);
}

/** First instant from `from` on that none of certificates of one kind covers; infinity when they never end. */
function endOfCover(certificates: readonly Qualification[], from: Date): number {
  let at = from.getTime();
  for (;;) {
    const reach = certificates
      .filter((each) => (each.from?.getTime() ?? -Infinity) <= at)
      .reduce((furthest, each) => Math.max(furthest, each.until?.getTime() ?? Infinity), -Infinity);
    if (reach <= at || reach === Infinity) return Math.max(at, reach);
    at = reach;
  }
}

/** First instant from `from` on at which something that was recorded is not valid; undefined when there is none. */
export function heldUntil(held: readonly Qualification[], from: Date): Date | undefined {
  const ends = requiredQualifications
    .map((code) => held.filter((each) => each.code === code))
    .filter((ofCode) => ofCode.length > 0)
    .map((ofCode) => endOfCover(ofCode, from));
  const first = Math.min(...ends);
  return first === Infinity ? undefined : new Date(first);
}

/** Names of what is not valid at an instant, for people. */
export function qualificationsWanting(
  held: readonly Qualification[],
  from: Date,
  to: Date = from,
): QualificationCode[] {
  return requiredQualifications.filter((code) => {
    const ofCode = held.filter((each) => each.code === code);
    return ofCode.length === 0 || !covered(ofCode, from, to);
  });
}

/** Start of a day, month or year where certificates are issued, or the instant itself. */
function startOf(text: string | undefined): Date | undefined {
  return boundary(text, 0);
}

/** A certificate is valid through its last day, month or year (https://hl7.org/fhir/R4/datatypes.html#Period). */
function endOf(text: string | undefined): Date | undefined {
  return boundary(text, 1);
}

function boundary(text: string | undefined, following: 0 | 1): Date | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  if (match === null) {
    const instant = new Date(text);
    return Number.isNaN(instant.getTime()) ? undefined : instant;
  }
  const [, year, month, day] = match;
  const first = Temporal.PlainDate.from({ year: Number(year), month: Number(month ?? 1), day: Number(day ?? 1) });
  const unit = day !== undefined ? 'days' : month !== undefined ? 'months' : 'years';
  return new Date(first.add({ [unit]: following }).toZonedDateTime(certificateZone).epochMilliseconds);
}
