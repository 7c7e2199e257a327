/**
 * Group commit: what arrives while a transaction of the same tenant is being committed goes together into the next one. Alone, an
 * event costs a transaction; under load, dozens share one, and their callers all wait for that commit.
 */

/** Events in one transaction. */
const groupLimit = 200;
/** Beyond this backlog callers are refused rather than promised: memory is bounded. */
const waitingLimit = 20_000;

interface Waiting<T> {
  item: T;
  resolve(): void;
  reject(error: unknown): void;
}

export interface GroupCommit<T> {
  /** Resolves once the item is committed; rejects when it could not be, even alone. */
  add(group: string, item: T): Promise<void>;
  /** Resolves when nothing is pending. */
  drain(): Promise<void>;
}

/**
 * @param write commits all of the items or none. Called for one group at a time.
 */
export function createGroupCommit<T>(write: (group: string, items: readonly T[]) => Promise<void>): GroupCommit<T> {
  const groups = new Map<string, { waiting: Waiting<T>[]; work: Promise<void> }>();
  let pending = 0;

  async function flush(name: string, group: { waiting: Waiting<T>[] }): Promise<void> {
    while (group.waiting.length > 0) {
      const batch = group.waiting.splice(0, groupLimit);
      try {
        await write(
          name,
          batch.map((entry) => entry.item),
        );
        for (const entry of batch) entry.resolve();
      } catch (error) {
        await oneByOne(name, batch, error);
      }
      pending -= batch.length;
    }
    groups.delete(name);
  }

  /** One bad item must not fail its neighbours. */
  async function oneByOne(name: string, batch: Waiting<T>[], error: unknown): Promise<void> {
    if (batch.length === 1) {
      batch[0]?.reject(error);
      return;
    }
    for (const entry of batch) {
      try {
        await write(name, [entry.item]);
        entry.resolve();
      } catch (reason) {
        entry.reject(reason);
      }
    }
  }

  return {
    add(name, item) {
      if (pending >= waitingLimit) return Promise.reject(new Error('the audit trail cannot keep up'));
      pending += 1;
      return new Promise<void>((resolve, reject) => {
        const entry = { item, resolve, reject };
        const running = groups.get(name);
        if (running) {
          running.waiting.push(entry);
          return;
        }
        const group = { waiting: [entry], work: Promise.resolve() };
        groups.set(name, group);
        group.work = flush(name, group);
      });
    },
    async drain() {
      while (groups.size > 0) await Promise.all([...groups.values()].map((group) => group.work));
    },
  };
}
