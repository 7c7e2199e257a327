/** Transactions in which the platform publishes: what it then writes was told as a whole, and may carry the publication. */
import type { FhirTransaction } from '../../fhir/index.ts';

export interface Publishing {
  /** From now on what this transaction writes of rotas is the publication's. */
  begin(tx: FhirTransaction): void;
  /** The same for one write. */
  within<T>(tx: FhirTransaction, write: () => Promise<T>): Promise<T>;
  isOurs(tx: FhirTransaction): boolean;
}

export function createPublishing(): Publishing {
  // Every view of a transaction has the same connection.
  const begun = new WeakSet<object>();
  return {
    begin: (tx) => void begun.add(tx.sql),
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
