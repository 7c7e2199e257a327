/** The server's own changes of `Subscription.status` and `error`: the feed follows in the same transaction (lifecycle.ts). */
import type { Clock } from '../../config/index.ts';
import { systemContext } from '../context.ts';
import { type Context, FhirError } from '../contract.ts';
import type { RestStore } from '../store/contract.ts';
import type { Status } from './feeds.ts';

export interface StatusKeeper {
  /**
   * Moves a Subscription on, unless it left `from` meanwhile: a client switched it off, or asked anew.
   * @param error said to people in `Subscription.error`.
   * @returns whether it was moved.
   */
  move(tenant: string, id: string, change: { from: readonly Status[]; to: Status; error?: string }): Promise<boolean>;
}

/** @param own where the contexts of these transactions are remembered, so that they are told from a client's. */
export function createStatusKeeper(parts: { store: RestStore; clock: Clock; own: WeakSet<Context> }): StatusKeeper {
  const { store, clock, own } = parts;
  return {
    async move(tenant, id, { from, to, error }) {
      const context = systemContext(tenant, 'system:subscription', clock);
      own.add(context);
      try {
        return await store.restTransaction(context, async (tx) => {
          const { error: _, ...current } = await tx.read('Subscription', id);
          if (!from.includes(current.status)) return false;
          await tx.update(
            { ...current, status: to, ...(error ? { error } : {}) },
            { ifMatch: String(current.meta?.versionId) },
          );
          return true;
        });
      } catch (failure) {
        // Deleted or changed by its owner in between: the next look sees what it is now.
        if (!(failure instanceof FhirError) || failure.status >= 500) throw failure;
        return false;
      }
    },
  };
}
