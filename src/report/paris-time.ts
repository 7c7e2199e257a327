/** Instants as documents write them: legal time of metropolitan France, whatever zone the server runs in. */

const parisZone = 'Europe/Paris';

interface Wall {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

/** `31/12/2026`. */
export function frenchDate(instant: Date): string {
  const { day, month, year } = wall(instant);
  return `${day}/${month}/${year}`;
}

/** `14:03:00`. */
export function frenchTime(instant: Date): string {
  const { hour, minute, second } = wall(instant);
  return `${hour}:${minute}:${second}`;
}

/** `31/12/2026 à 14:03`. */
export function frenchDateTime(instant: Date): string {
  return `${frenchDate(instant)} à ${frenchTime(instant).slice(0, 5)}`;
}

/** A FHIR date (`YYYY-MM-DD`, `YYYY-MM` or `YYYY`) as people write it. */
export function frenchFhirDate(date: string): string {
  return date.split('-').reverse().join('/');
}

/** HL7 v3 TS with its offset, `20260512141500+0200`. */
export function hl7Time(instant: Date): string {
  const { year, month, day, hour, minute, second } = wall(instant);
  return `${year}${month}${day}${hour}${minute}${second}${offset(instant, '')}`;
}

/** PDF date string, `D:20260512141500+02'00'` (ISO 32000-1 §7.9.4). */
export function pdfTime(instant: Date): string {
  const { year, month, day, hour, minute, second } = wall(instant);
  const [hours, minutes] = offset(instant, ':').split(':');
  return `D:${year}${month}${day}${hour}${minute}${second}${hours}'${minutes}'`;
}

function offset(instant: Date, separator: string): string {
  const { year, month, day, hour, minute, second } = wall(instant);
  const asUtc = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const minutes = Math.round((asUtc - instant.getTime()) / 60_000);
  const absolute = Math.abs(minutes);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(absolute / 60))}${separator}${two(absolute % 60)}`;
}

function wall(instant: Date): Wall {
  const parts = format.formatToParts(instant);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? '';
  return {
    year: part('year').padStart(4, '0'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}

const format = new Intl.DateTimeFormat('en-GB', {
  timeZone: parisZone,
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
