/**
 * Long work on the process's only thread, done in turns: whoever arrived meanwhile is heard before it goes on. A message that waits for its
 * acknowledgement must not wait for the bookkeeping of others.
 */
import { endOfTurn } from './end-of-turn.ts';

/** A few requests' worth. */
const turnMs = 2;

/** What `work` makes of each item, in their order, on several turns of the event loop where it takes longer than one should. */
export async function inTurns<Item, Made>(items: readonly Item[], work: (item: Item) => Made): Promise<Made[]> {
  const made: Made[] = [];
  let begun = performance.now();
  for (const item of items) {
    if (performance.now() - begun > turnMs) {
      await endOfTurn();
      begun = performance.now();
    }
    made.push(work(item));
  }
  return made;
}
