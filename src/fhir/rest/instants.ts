/** Instants and dates in parameters of history (https://hl7.org/fhir/R4/http.html#history): moments and periods. */
import { FhirError } from '../contract.ts';

const instantPattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const datePattern = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
/** Years the database reads as we write them. */
const earliest = Date.parse('0001-01-01T00:00:00Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** @throws FhirError 400 for anything but a full instant. */
export function instantOf(name: string, text: string): Date {
  // In a query `+` stands for a space.
  const written = text.replace(' ', '+');
  const instant = momentOf(written);
  if (!instantPattern.test(written) || !isStorable(instant) || !isDay(written.slice(0, 10)))
    throw new FhirError(400, 'value', `${name} must be an instant`, `http.${name}`);
  return instant;
}

/** The period a date of any precision stands for, in UTC where it names no zone. @throws FhirError 400. */
export function periodOf(name: string, value: string): { from: Date; to: Date } {
  const text = value.replace(' ', '+');
  const match = datePattern.exec(text);
  const from = match && startOf(text, match);
  if (!match || !from || !isStorable(from))
    throw new FhirError(400, 'value', `${name} must be a date, a dateTime or an instant`, `http.${name}`);
  const [, , month, day, hour, , second] = match;
  const to = new Date(from);
  if (second !== undefined) to.setTime(from.getTime() + (text.includes('.') ? 1 : 1000));
  else if (hour !== undefined) to.setTime(from.getTime() + 60_000);
  else if (day !== undefined) to.setUTCDate(from.getUTCDate() + 1);
  else if (month !== undefined) to.setUTCMonth(from.getUTCMonth() + 1);
  else to.setUTCFullYear(from.getUTCFullYear() + 1);
  return { from, to: isStorable(to) ? to : new Date(latest) };
}

function startOf(text: string, [, year, month, day, hour, , second, zone]: RegExpExecArray): Date | undefined {
  const date = `${year}-${month ?? '01'}-${day ?? '01'}`;
  if (!isDay(date)) return undefined;
  if (hour === undefined) return new Date(`${date}T00:00:00Z`);
  const time = second === undefined ? text.replace(/(T\d\d:\d\d)/, '$1:00') : text;
  return momentOf(zone ? time : `${time}Z`);
}

/** A leap second, which the clock of JavaScript does not know, is the first of the next minute. */
function momentOf(text: string): Date {
  const known = text.replace(/(?<=T\d\d:\d\d:)60/, '59');
  return new Date(new Date(known).getTime() + (known === text ? 0 : 1000));
}

/** A day that the calendar does not have would roll over. */
function isDay(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === date;
}

function isStorable(date: Date): boolean {
  return date.getTime() >= earliest && date.getTime() <= latest;
}
