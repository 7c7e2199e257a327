/** In the transaction of every write: which subscriptions it is an event of, recorded with it or not at all. */
import type { Change, CommitHook, FhirTransaction } from '../contract.ts';
import type { Log } from './contract.ts';
import { insertEvents } from './events.ts';
import type { Interest, InterestBook, Interests } from './interests.ts';

/** @param wake told after the commit of a transaction that left events. */
export function recordEvents(book: InterestBook, wake: (tenant: string) => void, log?: Log): CommitHook {
  return (changes, tx) => {
    const { tenant } = tx.context;
    const wroteSubscriptions = changes.some(({ type }) => type === 'Subscription');
    if (wroteSubscriptions) tx.afterCommit(() => book.forget(tenant));
    const known = wroteSubscriptions ? book.within(tenant, tx.sql) : book.of(tenant, tx.sql);
    // No promise on the usual path: a tenant without subscriptions pays for two look-ups in memory.
    if (known instanceof Promise) return known.then((interests) => record(interests, changes, tx));
    return known.size === 0 ? undefined : record(known, changes, tx);
  };

  async function record(interests: Interests, changes: readonly Change[], tx: FhirTransaction): Promise<void> {
    const { tenant } = tx.context;
    if (interests.size === 0) return;
    const now = tx.context.now();
    const matches = changes.flatMap((change) =>
      (interests.get(change.type) ?? [])
        .filter((interest) => (!interest.endsAt || interest.endsAt > now) && isEvent(interest, change))
        .map(({ subscription }) => ({ subscription, change })),
    );
    if (matches.length === 0) return;
    await insertEvents(tx.sql, tenant, now, matches);
    tx.afterCommit(() => wake(tenant));
  }

  /** A judgement that fails must neither stop the write nor lose the event; the owner's rights are asked about at delivery anyway. */
  function isEvent({ judge, subscription }: Interest, change: Change): boolean {
    try {
      return judge(change);
    } catch (error) {
      log?.error({ subscription, type: change.type, error: (error as Error).name }, 'criteria could not be judged');
      return true;
    }
  }
}
