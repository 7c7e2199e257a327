/** A token bucket per key: so many at once, then so many per second. Kept in memory: each node counts for itself. */
import type { Rate } from '../../config/index.ts';

export interface Buckets {
  /** Takes a token; false when there is none. */
  take(key: string): boolean;
}

/** Keys remembered; those not seen for longest are forgotten first, and their buckets have mostly filled up again. */
const rememberedKeys = 50_000;

/** @param now milliseconds that only grow. */
export function createBuckets({ perSecond, burst }: Rate, now: () => number = () => performance.now()): Buckets {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    take(key) {
      const at = now();
      const known = buckets.get(key);
      const tokens = known ? Math.min(burst, known.tokens + ((at - known.at) / 1000) * perSecond) : burst;
      const isTaken = tokens >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: isTaken ? tokens - 1 : tokens, at });
      if (buckets.size > rememberedKeys) buckets.delete(buckets.keys().next().value!);
      return isTaken;
    },
  };
}
