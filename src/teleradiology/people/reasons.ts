/** Why somebody excludes a reader in this transaction: for the message and the Provenance, never for the directory. */
import type { FhirTransaction } from '../../fhir/index.ts';

export interface Reasons {
  give(tx: FhirTransaction, reason: string): void;
  /** Undefined when the exclusion is written without the operation. */
  of(tx: FhirTransaction): string | undefined;
}

export function createReasons(): Reasons {
  // Every view of a transaction has the same connection.
  const given = new WeakMap<object, string>();
  return {
    give: (tx, reason) => void given.set(tx.sql, reason),
    of: (tx) => given.get(tx.sql),
  };
}
