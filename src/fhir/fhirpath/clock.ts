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

function shown(moment: Date): { date: string; time: string; zone: string } {
  const parts = Object.fromEntries(parisian.formatToParts(moment).map(({ type, value }) => [type, value]));
  const { year = '', month, day, hour, minute, second, fractionalSecond, timeZoneName = '' } = parts;
  return {
    date: `${year.padStart(4, '0')}-${month}-${day}`,
    time: `${hour}:${minute}:${second}.${fractionalSecond}`,
    zone: timeZoneName.replace('GMT', '') || 'Z',
  };
}

function told(tell: (at: ReturnType<typeof shown>) => string, type: string): FunctionCompiler {
  return () => fromItems((_, { now = new Date() }) => [tell(shown(now))], [type]);
}

export const clockFunctions: Readonly<Record<string, FunctionCompiler>> = {
  today: told(({ date }) => date, 'date'),
  now: told(({ date, time, zone }) => `${date}T${time}${zone}`, 'dateTime'),
  timeOfDay: told(({ time }) => time, 'time'),
};
