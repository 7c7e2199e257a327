/** A bounded cache: what was used longest ago leaves first. */

export interface Cache<T> {
  /** The kept value, or the one `make` makes. */
  get(key: string, make: () => T): T;
}

/** @param limit of the sum of weights; a value heavier than all of it is made anew each time. */
export function createCache<T>(limit: number, weightOf: (value: T) => number): Cache<T> {
  const entries = new Map<string, T>();
  let total = 0;
  return {
    get(key, make) {
      const kept = entries.get(key);
      if (kept !== undefined) {
        entries.delete(key);
        entries.set(key, kept);
        return kept;
      }
      const value = make();
      const weight = weightOf(value);
      if (weight > limit) return value;
      entries.set(key, value);
      total += weight;
      for (const [oldest, old] of entries) {
        if (total <= limit) break;
        entries.delete(oldest);
        total -= weightOf(old);
      }
      return value;
    },
  };
}
