/**
 * Long work on the process's only thread, done in turns: whoever arrived meanwhile is heard before it goes on. A message that waits for its
 * acknowledgement must not wait for the bookkeeping of others.
 */
import { endOfTurn } from './end-of-turn.ts';

/** A few requests' worth. */
const turnMs = 2;

/** Begins long work. @returns what to wait for between two parts of it: nothing as long as the turn is short. */
export function inTurns(): () => Promise<void> | undefined {
  let begun = performance.now();
  return () => {
    if (performance.now() - begun <= turnMs) return undefined;
    return endOfTurn().then(() => {
      begun = performance.now();
    });
  };
}

/**
 * What `work` makes of each item, in their order, on as many turns of the event loop as it takes.
 * @param othersHeard of the longer work that this is a part of.
 */
export async function mapInTurns<Item, Made>(
  items: readonly Item[],
  work: (item: Item) => Made,
  othersHeard = inTurns(),
): Promise<Made[]> {
  const made: Made[] = [];
  for (const item of items) {
    const others = othersHeard();
    if (others) await others;
    made.push(work(item));
  }
  return made;
}
