/** A token bucket per key: so many at once, then so many per second. Kept in memory: each node counts for itself. */
import type { Rate } from '../../config/index.ts';

export interface Buckets {
  /** Takes a token; false when there is none. */
  take(key: string): boolean;
}

/** Keys of one generation; a key not seen for a whole generation is forgotten, and its bucket has mostly filled up again. */
const keysOfGeneration = 50_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** @param now milliseconds that only grow. */
export function createBuckets({ perSecond, burst }: Rate, now: () => number = () => performance.now()): Buckets {
  // Two maps, the older one thrown away whole: taking the oldest key out of one map costs 15 µs each time.
  let recent = new Map<string, Bucket>();
  let before = new Map<string, Bucket>();
  return {
    take(key) {
      const at = now();
      const known = recent.get(key) ?? before.get(key);
      const tokens = known ? Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond) : burst;
      const isTaken = tokens >= 1;
      if (recent.size >= keysOfGeneration && !recent.has(key)) {
        before = recent;
        recent = new Map();
      }
      recent.set(key, { tokens: isTaken ? tokens - 1 : tokens, at });
      return isTaken;
    },
  };
}
