/** DICOM dates and times into FHIR dateTime: with the offset the images state, else that of Paris (design §5 rule 10). */
import { dateKey, timeKey } from './dicom/matching-keys.ts';

/**
 * @param offset Timezone Offset From UTC (0008,0201), `±HHMM`.
 * @returns `YYYY-MM-DD`, or `YYYY-MM-DDThh:mm:ss±hh:mm` when the time is known; undefined without a valid date.
 */
export function fhirDateTime(
  date: string | undefined,
  time: string | undefined,
  offset: string | undefined,
): string | undefined {
  const day = dateKey(date);
  if (!day) return undefined;
  const isoDay = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const clock = timeKey(time);
  if (!clock) return isoDay;
  // A leap second is not an instant in FHIR.
  const seconds = clock.slice(4, 6) === '60' ? '59' : clock.slice(4, 6);
  const isoTime = `${clock.slice(0, 2)}:${clock.slice(2, 4)}:${seconds}`;
  const stated = /^([+-])(\d{2})(\d{2})$/.exec(offset ?? '');
  if (stated && Number(stated[2]) <= 14 && Number(stated[3]) < 60)
    return `${isoDay}T${isoTime}${stated[1]}${stated[2]}:${stated[3]}`;
  return `${isoDay}T${isoTime}${parisOffset(new Date(`${isoDay}T${isoTime}Z`))}`;
}

/** Offset of Paris for a wall-clock time there, given as if it were UTC; right but for the hour of a change, where either would do. */
function parisOffset(wallClock: Date): string {
  const guess = offsetAt(wallClock);
  const minutes = (guess.startsWith('-') ? -1 : 1) * (Number(guess.slice(1, 3)) * 60 + Number(guess.slice(4, 6)));
  return offsetAt(new Date(wallClock.getTime() - minutes * 60_000));
}

function offsetAt(instant: Date): string {
  const name = new Intl.DateTimeFormat('en', { timeZone: 'Europe/Paris', timeZoneName: 'longOffset' })
    .formatToParts(instant)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return /GMT([+-]\d{2}:\d{2})/.exec(name ?? '')?.[1] ?? '+00:00';
}
