/**
 * `today()`, `now()` and `timeOfDay()` (http://hl7.org/fhirpath/N1/#current-date-and-time-functions): one moment for a whole evaluation, as
 * clocks in France show it. By Greenwich a child born after midnight would be born tomorrow.
 */
import { type FunctionCompiler, fromItems } from './compiled.ts';

const parisian = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/Paris',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  timeZoneName: 'longOffset',
});

/** The present as a date, a time of day and a dateTime with its offset. */
export function presentAt(moment: Date): { date: string; time: string; dateTime: string } {
  const parts = Object.fromEntries(parisian.formatToParts(moment).map(({ type, value }) => [type, value]));
  const { year = '', month, day, hour, minute, second, fractionalSecond, timeZoneName = '' } = parts;
  const date = `${year.padStart(4, '0')}-${month}-${day}`;
  const time = `${hour}:${minute}:${second}.${fractionalSecond}`;
  return { date, time, dateTime: `${date}T${time}${timeZoneName.replace('GMT', '') || 'Z'}` };
}

function told(part: keyof ReturnType<typeof presentAt>): FunctionCompiler {
  return () => fromItems((_, { now = new Date() }) => [presentAt(now)[part]], [part]);
}

export const clockFunctions: Readonly<Record<string, FunctionCompiler>> = {
  today: told('date'),
  now: told('dateTime'),
  timeOfDay: told('time'),
};
