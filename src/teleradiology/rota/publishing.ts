/** Writes by which the platform publishes: they are told as a whole, and may carry the publication. */
import type { FhirTransaction } from '../../fhir/index.ts';

export interface Publishing {
  /** What is written meanwhile is the publication's. */
  within<T>(tx: FhirTransaction, write: () => Promise<T>): Promise<T>;
  isOurs(tx: FhirTransaction): boolean;
}

export function createPublishing(): Publishing {
  // Every view of a transaction has the same connection.
  const begun = new WeakSet<object>();
  return {
    async within(tx, write) {
      begun.add(tx.sql);
      try {
        return await write();
      } finally {
        begun.delete(tx.sql);
      }
    },
    isOurs: (tx) => begun.has(tx.sql) || tx.context.actor.kind === 'system',
  };
}
