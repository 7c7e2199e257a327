/** The clock of a scenario: told when something is done, the hours between are skipped. */
import { Temporal } from 'temporal-polyfill';
import type { ChildServer } from '../child-server.ts';

const zone = 'Europe/Paris';

export interface StageClock {
  now(): Date;
  /**
   * Skips to the next time the hospital's clock shows this (`02:13`), or to an instant. What is past already changes nothing:
   * on a slow machine everything is a little later, in the same order.
   */
  skipTo(time: string | Date): Promise<void>;
  /** Skips so many minutes. */
  skip(minutes: number): Promise<void>;
}

/** Follows the clock of the server, whichever process it is now. */
export async function createStageClock(server: () => ChildServer): Promise<StageClock> {
  let shown = new Date(0);
  let readAt = performance.now();
  const now = () => new Date(shown.getTime() + (performance.now() - readAt));
  const move = async (instant: Date) => {
    const moved = await server().moveClockTo(instant);
    if (!moved) throw new Error('le serveur est à la vraie horloge');
    shown = moved;
    readAt = performance.now();
  };
  await move(new Date(0));
  return {
    now,
    skipTo: (time) => move(time instanceof Date ? time : next(time, now())),
    skip: (minutes) => move(new Date(now().getTime() + minutes * 60_000)),
  };
}

/** The next instant after `from` at which clocks show this; the present minute counts as now. */
export function next(time: string, from: Date): Date {
  const local = Temporal.Instant.fromEpochMilliseconds(from.getTime()).toZonedDateTimeISO(zone);
  const wanted = Temporal.PlainTime.from(time);
  const minute = local.toPlainTime().round({ smallestUnit: 'minute', roundingMode: 'floor' });
  const days = Temporal.PlainTime.compare(wanted, minute) < 0 ? 1 : 0;
  const at = local.toPlainDate().add({ days }).toZonedDateTime({ timeZone: zone, plainTime: wanted });
  return new Date(at.epochMilliseconds);
}
