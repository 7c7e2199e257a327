/** Time left before the contractual deadline (WF-3, WF-4), as text and as a level: never by colour alone. */
export type CountdownLevel = 'none' | 'calm' | 'watch' | 'hurry' | 'late';

export interface Countdown {
  level: CountdownLevel;
  /** e.g. `42 min`, `1 h 05`, `retard 12 min`. */
  text: string;
}

/** Below this the seconds are shown. */
const secondsShownBelowMs = 5 * 60_000;

/**
 * @param started when the clock started; the alert thresholds (50 %, 75 %, 100 % of the delay) are counted from it.
 * Without it only the last quarter of an hour counts as urgent.
 */
export function countdown(deadline: Date | undefined, started: Date | undefined, now: Date): Countdown {
  if (deadline === undefined) return { level: 'none', text: 'délai non démarré' };
  const leftMs = deadline.getTime() - now.getTime();
  if (leftMs <= 0) return { level: 'late', text: `retard ${durationText(-leftMs)}` };
  return {
    level: levelOf(leftMs, started === undefined ? undefined : deadline.getTime() - started.getTime()),
    text: durationText(leftMs),
  };
}

function levelOf(leftMs: number, delayMs: number | undefined): CountdownLevel {
  const whole = delayMs !== undefined && delayMs > 0 ? delayMs : 60 * 60_000;
  const used = 1 - leftMs / whole;
  if (used >= 0.75) return 'hurry';
  return used >= 0.5 ? 'watch' : 'calm';
}

/** A duration rounded down to what is useful: seconds under five minutes, minutes, hours, days. */
export function durationText(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  if (durationMs < secondsShownBelowMs) return minutes === 0 ? `${seconds} s` : `${minutes} min ${pad(seconds % 60)}`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${pad(minutes % 60)}`;
  return `${Math.floor(hours / 24)} j ${hours % 24} h`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
