/**
 * How long one account may keep a node busy with constraints that others wrote: each check ends by itself, but a hundred in a row would
 * hold up everybody. What is honest takes milliseconds and is not counted.
 */

export interface TimeBudget {
  /** Whether the account has anything left. */
  allows(account: string): boolean;
  spend(account: string, ms: number): void;
}

/** Three checks that had to be stopped in a minute are enough. */
const budgetMs = 6_000;
const refilledMs = 60_000;
/** A check up to here costs nothing: thousands of an import are honest. */
const freeMs = 100;
const rememberedAtMost = 10_000;

/** @param now milliseconds that only grow. */
export function createTimeBudget(now: () => number = () => performance.now()): TimeBudget {
  const spent = new Map<string, { ms: number; at: number }>();
  const spentBy = (account: string) => {
    const known = spent.get(account);
    return known ? Math.max(0, known.ms - ((now() - known.at) * budgetMs) / refilledMs) : 0;
  };
  return {
    allows: (account) => spentBy(account) < budgetMs,
    spend(account, ms) {
      if (ms <= freeMs) return;
      const before = spentBy(account);
      if (spent.size >= rememberedAtMost) spent.clear();
      spent.set(account, { ms: before + ms, at: now() });
    },
  };
}
