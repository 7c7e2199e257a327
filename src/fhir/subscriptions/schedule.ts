/** When a failed notification is tried again, and when the subscription is given up: pure rules over stored due times. */

/** First wait; doubles with every attempt. */
const firstBackOffMs = 1_000;
const longestBackOffMs = 5 * 60_000;
/** A receiver that is down for a night or a day of works comes back to a subscription that still runs; longer needs a person. */
const giveUpAfterMs = 24 * 3_600_000;
/** What nobody took for so long is no news any more: it is dropped, and its number stays missing for who counts. */
export const eventsKeptMs = 30 * 24 * 3_600_000;

/** Wait after the n-th failed attempt (1 = first), in milliseconds. */
export function backOffMs(attempts: number): number {
  return Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(Math.max(attempts - 1, 0), 30));
}

export function isGivenUp(failingSince: Date, now: Date): boolean {
  return now.getTime() - failingSince.getTime() >= giveUpAfterMs;
}
