/** A calendar month where the establishment is: what its penalties are counted by. */
import { Temporal } from 'temporal-polyfill';

export interface Month {
  /** `YYYY-MM`. */
  name: string;
  from: Date;
  /** First instant of the next month. */
  until: Date;
}

const named = /^\d{4}-(0[1-9]|1[0-2])$/;

/** Undefined for what is no month. */
export function monthNamed(name: string, timeZone: string): Month | undefined {
  if (!named.test(name)) return undefined;
  const first = Temporal.PlainYearMonth.from(name).toPlainDate({ day: 1 });
  const at = (day: Temporal.PlainDate): Date => new Date(day.toZonedDateTime(timeZone).epochMilliseconds);
  return { name, from: at(first), until: at(first.add({ months: 1 })) };
}
