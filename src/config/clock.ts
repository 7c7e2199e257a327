/** The only source of "now" in the server: rules and clocks are tested by passing another one (design §5 rule 10). */
export interface Clock {
  /** The present instant. */
  now(): Date;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() };

/** A demonstration's clock: it can be moved on, never back. */
export interface DemonstrationClock extends Clock {
  /** Makes it this instant, and runs on from there; an instant already past changes nothing. @returns the present instant. */
  moveOnTo(instant: Date): Date;
}

/**
 * A clock that starts at a chosen instant and runs `speed` times as fast as the machine's: hours pass in seconds for a
 * demonstration (`DEMO_CLOCK=2026-10-24T22:00:00+02:00,60`).
 */
export function acceleratedClock(start: Date, speed: number, base: Clock = systemClock): DemonstrationClock {
  const origin = base.now().getTime();
  let moved = 0;
  const now = () => new Date(start.getTime() + moved + (base.now().getTime() - origin) * speed);
  return {
    now,
    moveOnTo(instant) {
      moved += Math.max(0, instant.getTime() - now().getTime());
      return now();
    },
  };
}
