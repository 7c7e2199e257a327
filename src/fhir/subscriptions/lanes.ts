/**
 * Which subscriptions a node works on at the same time. Places are few, and an endpoint may hold its place for half a minute: so nobody has
 * all of them, what fails already has few of what its owner has, and who works long goes behind those who wait.
 */

/** Subscriptions served at the same time by one node, those of one owner, and those of one owner that failed last time. */
const places = 16;
const placesOfOne = 4;
const placesOfFailing = 2;
/** Real milliseconds after which a place is left to who waits for one. */
const turnMs = 5_000;

export interface Lane {
  /** Names the subscription on this node. */
  key: string;
  owner: string;
  isFailing: boolean;
}

export interface Lanes {
  /** Works on it as soon as there is a place; asked while it is worked on, once more afterwards. */
  serve(lane: Lane, work: Work): void;
  /** Resolves when nothing that was asked for by now is waiting or being worked on. */
  settled(): Promise<void>;
}

/** @param isToLeave asked between two steps: somebody waits for the place. @returns whether there was more to do. */
export type Work = (isToLeave: () => boolean) => Promise<boolean>;

interface Entry {
  lane: Lane;
  work: Work;
  again: boolean;
  over: PromiseWithResolvers<void>;
}

/** @param now milliseconds of a clock that only goes forward. */
export function createLanes(now: () => number = () => performance.now()): Lanes {
  /** In the order they came. */
  const waiting = new Map<string, Entry>();
  const running = new Map<string, Entry>();

  function mayRun({ lane }: Entry, without?: Entry): boolean {
    const others = [...running.values()].filter((entry) => entry !== without);
    const own = others.filter((entry) => entry.lane.owner === lane.owner);
    const failing = own.filter((entry) => entry.lane.isFailing);
    const hasPlace = others.length < places && own.length < placesOfOne;
    return hasPlace && (!lane.isFailing || failing.length < placesOfFailing);
  }

  function fill(): void {
    for (const [key, entry] of waiting) {
      if (running.size >= places) return;
      if (!mayRun(entry)) continue;
      waiting.delete(key);
      running.set(key, entry);
      void run(entry);
    }
  }

  async function run(entry: Entry): Promise<void> {
    const { lane, work, over } = entry;
    const begun = now();
    const isToLeave = () => now() - begun > turnMs && [...waiting.values()].some((other) => mayRun(other, entry));
    entry.again = false;
    const hasMore = await work(isToLeave).catch(() => false);
    running.delete(lane.key);
    if (hasMore || entry.again) waiting.set(lane.key, entry);
    else over.resolve();
    fill();
  }

  return {
    serve(lane, work) {
      const known = running.get(lane.key) ?? waiting.get(lane.key);
      if (known) {
        known.again = true;
        return;
      }
      waiting.set(lane.key, { lane, work, again: false, over: Promise.withResolvers<void>() });
      fill();
    },
    async settled() {
      await Promise.all([...running.values(), ...waiting.values()].map(({ over }) => over.promise));
    },
  };
}
