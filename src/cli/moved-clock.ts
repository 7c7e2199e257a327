/** A demonstration moves the clock of the server it started: hours of waiting pass at once. */
import type { DemonstrationClock } from '../config/index.ts';

/** What the parent process asks, and is answered with the present instant (ISO 8601). */
export interface MoveClock {
  moveClockTo: string;
}
export interface ClockMoved {
  clock: string;
}

/**
 * Obeys the process that started this one, over the channel Node gives a parent and its child: nobody else can reach it.
 * There is no demonstration clock without demonstration data, and no channel without a parent that opened one.
 */
export function letParentMoveClock(clock: DemonstrationClock | undefined): void {
  if (!clock || !process.channel) return;
  process.on('message', (message: Partial<MoveClock>) => {
    const instant = new Date(message.moveClockTo ?? '');
    if (Number.isNaN(instant.getTime())) return;
    const answer: ClockMoved = { clock: clock.moveOnTo(instant).toISOString() };
    process.send?.(answer);
  });
  // The channel alone does not keep a stopped server alive.
  process.channel.unref();
}
