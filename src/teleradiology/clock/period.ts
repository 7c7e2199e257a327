/** A FHIR Period as instants where the establishment is: a day begins at its midnight and, as an end, is included (datatypes.html#period). */
import type { Period } from '@medplum/fhirtypes';
import { Temporal } from 'temporal-polyfill';

export interface Bounds {
  from?: Date;
  /** First instant that is no longer in it. */
  until?: Date;
}

const partial = /^(\d{4})(-\d{2})?(-\d{2})?$/;

/** @throws RangeError for a date that does not exist. */
export function boundsOf(period: Period | undefined, timeZone: string): Bounds {
  const from = period?.start === undefined ? undefined : startOf(period.start, timeZone);
  const until =
    period?.end === undefined
      ? undefined
      : partial.test(period.end)
        ? startOf(period.end, timeZone, unitAfter(period.end))
        : // An instant is included too: what ends at 08:00:00 still holds in that second.
          new Date(startOf(period.end, timeZone).getTime() + 1000);
  return { ...(from === undefined ? {} : { from }), ...(until === undefined ? {} : { until }) };
}

function startOf(
  text: string,
  timeZone: string,
  later: { years?: number; months?: number; days?: number } = { days: 0 },
): Date {
  const parts = partial.exec(text);
  if (parts === null) {
    const instant = new Date(text);
    if (Number.isNaN(instant.getTime())) throw new RangeError('not a date');
    return instant;
  }
  const [, year, month = '-01', day = '-01'] = parts;
  const first = Temporal.PlainDate.from(`${year}${month}${day}`).add(later);
  return new Date(first.toZonedDateTime(timeZone).epochMilliseconds);
}

function unitAfter(text: string): { years?: number; months?: number; days?: number } {
  return text.length === 4 ? { years: 1 } : text.length === 7 ? { months: 1 } : { days: 1 };
}
