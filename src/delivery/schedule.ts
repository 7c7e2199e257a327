/** When a failed attempt is tried again: pure rules, design §5 rule 3 (a delay is a stored due time, never a timer in memory). */

/** First wait; doubles with every attempt. */
export const firstBackOffMs = 1_000;
/** Longest wait: a hospital's interface that comes back in the morning is noticed within five minutes. */
export const longestBackOffMs = 5 * 60_000;
/** Each wait is shortened by up to this share, so that destinations that failed together do not return together. */
export const jitterShare = 0.2;
/** After this long without success an item is set aside as dead: longer than a long weekend with its public holidays. */
export const giveUpAfterMs = 7 * 24 * 3_600_000;

/**
 * Wait after the n-th attempt (1 = first), in milliseconds.
 * @param random a number in [0, 1).
 */
export function backOffMs(attempts: number, random: number): number {
  const full = Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(Math.max(attempts - 1, 0), 30));
  return Math.round(full * (1 - jitterShare * random));
}

/**
 * Milliseconds an item waits yet; 0 when it is due. No wait is longer than the longest: a due time further ahead was set by a clock that has
 * been put back since, and is not kept waiting for it.
 */
export function waitLeftMs(nextAt: Date, now: Date): number {
  const left = nextAt.getTime() - now.getTime();
  return left > longestBackOffMs ? 0 : Math.max(0, left);
}

/** Whether an item tried since `triedSince` is given up at `now`. */
export function isGivenUp(triedSince: Date, now: Date): boolean {
  return now.getTime() - triedSince.getTime() >= giveUpAfterMs;
}
