/** Where a person wants to be in a stack: presses that come while an image loads add up, and only the last one wanted is awaited. */
export interface Scroll {
  /** A stack is shown from here: what was wanted before is forgotten. */
  startAt(index: number): void;
  /** Resolves once the image last wanted is there, or is known to be missing. */
  goTo(index: number): Promise<void>;
  stepBy(delta: number): Promise<void>;
  /** Position last asked for. */
  wanted(): number;
}

/** Each image on the way is shown when it comes within this; one that does not must not hold up the others. */
const passingMs = 250;

/**
 * @param count images of the stack now.
 * @param load puts this image on the screen. @throws when it cannot be.
 * @param onFailure told whether the image last wanted is missing.
 * @param passed resolves when an image that is no longer wanted has been waited for long enough.
 */
export function createScroll(
  count: () => number,
  load: (index: number) => Promise<void>,
  onFailure: (missing: boolean) => void,
  passed: () => Promise<void> = () => new Promise((resolve) => setTimeout(resolve, passingMs)),
): Scroll {
  let wanted = 0;
  let generation = 0;
  let running: Promise<void> | undefined;
  let moved: () => void = () => undefined;

  // One image at a time; those passed over meanwhile are never asked for.
  const run = async (): Promise<void> => {
    let settled: number | undefined;
    const mine = generation;
    while (mine === generation && settled !== wanted) {
      const asked = wanted;
      const passedOver = new Promise<void>((resolve) => {
        moved = resolve;
      }).then(passed);
      const loaded = load(asked).then(
        () => false,
        () => true,
      );
      const missing = await Promise.race([loaded, passedOver.then(() => true)]);
      if (asked === wanted) {
        // Left and come back to: what counts is the image itself.
        const really = missing && (await loaded);
        settled = asked;
        if (mine === generation && asked === wanted) onFailure(really);
      }
    }
  };
  const goTo = (index: number): Promise<void> => {
    const last = count() - 1;
    if (last < 0) return Promise.resolve();
    const next = Math.max(0, Math.min(index, last));
    if (next !== wanted) moved();
    wanted = next;
    if (running === undefined) {
      const started = run().finally(() => {
        if (running === started) running = undefined;
      });
      running = started;
    }
    return running;
  };
  return {
    startAt: (index) => {
      generation += 1;
      running = undefined;
      wanted = index;
    },
    wanted: () => wanted,
    goTo,
    stepBy: (delta) => goTo(wanted + delta),
  };
}
