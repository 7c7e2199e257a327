/** A demonstration moves the clock of the server it started: hours of waiting pass at once. */
import type { DemonstrationClock } from '../config/index.ts';
import type { Server } from '../server.ts';

/** What the parent process asks, and is answered with the present instant (ISO 8601). */
export interface MoveClock {
  moveClockTo: string;
}
export interface ClockMoved {
  clock: string;
}

/** Time passes in so many steps, none shorter than a minute: what falls due on the way is raised then, not at the end. */
const mostSteps = 60;
const shortestStepMs = 60_000;

/**
 * Obeys the process that started this one, over the channel Node gives a parent and its child: nobody else can reach it.
 * There is no demonstration clock without demonstration data, and no channel without a parent that opened one.
 */
export function letParentMoveClock(clock: DemonstrationClock | undefined, server: Pick<Server, 'sweep' | 'log'>): void {
  if (!clock || !process.channel) return;
  process.on('message', (message: Partial<MoveClock>) => {
    const instant = new Date(message.moveClockTo ?? '');
    if (Number.isNaN(instant.getTime())) return;
    passTime(clock, instant, () => server.sweep())
      .catch((error: unknown) => server.log.error({ err: error }, 'the clock moved, but what fell due was not raised'))
      .finally(() => process.send?.({ clock: clock.now().toISOString() } satisfies ClockMoved));
  });
  // The channel alone does not keep a stopped server alive.
  process.channel.unref();
}

/** Moves the clock on step by step, raising after each what fell due. */
export async function passTime(clock: DemonstrationClock, until: Date, raise: () => Promise<unknown>): Promise<void> {
  const span = until.getTime() - clock.now().getTime();
  const step = Math.max(shortestStepMs, span / mostSteps);
  for (let left = span; left > 0; left = until.getTime() - clock.now().getTime()) {
    clock.moveOnTo(new Date(until.getTime() - Math.max(0, left - step)));
    await raise();
  }
}
