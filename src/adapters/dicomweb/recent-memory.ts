/** Answers remembered for a while, a bounded number of them; callers that come together share one question. */
import type { Clock } from '../../config/index.ts';

export interface RecentMemory<T> {
  /** The remembered answer, else what `ask` finds; a failure is not remembered. */
  get(key: string, ask: () => Promise<T>): Promise<T>;
  forget(key: string): void;
  /** Forgets what has such a key; walks through all of them. */
  forgetWhere(matches: (key: string) => boolean): void;
}

/**
 * @param capacity entries kept; the oldest goes first.
 * @param lifetimeMs how long an answer is good for, from when it was asked.
 */
export function recentMemory<T>(capacity: number, lifetimeMs: number, clock: Clock): RecentMemory<T> {
  const entries = new Map<string, { answer: Promise<T>; until: number }>();
  return {
    get(key, ask) {
      const now = clock.now().getTime();
      const known = entries.get(key);
      if (known && known.until > now) return known.answer;
      const entry = { answer: ask(), until: now + lifetimeMs };
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > capacity) {
        const oldest = entries.keys().next().value;
        if (oldest !== undefined) entries.delete(oldest);
      }
      entry.answer.catch(() => {
        if (entries.get(key) === entry) entries.delete(key);
      });
      return entry.answer;
    },
    forget: (key) => void entries.delete(key),
    forgetWhere(matches) {
      for (const key of entries.keys()) if (matches(key)) entries.delete(key);
    },
  };
}
