/** A night somebody remembers, played again from outside: real messages, real images, people who sign in. */
import type { Stage } from './stage.ts';

export interface Scenario {
  name: string;
  /** French, one line. */
  title: string;
  /** Instant the clock shows at first, ISO 8601 with its offset. */
  startsAt: string;
  /** @throws Error at the first thing that is not as it should be. */
  play(stage: Stage): Promise<void>;
}
