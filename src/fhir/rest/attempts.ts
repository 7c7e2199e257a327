/** Work that others got in the way of, done again (https://hl7.org/fhir/R4/http.html#transaction: never answered as if it were kept). */
import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../contract.ts';

/** How often a transaction is run before others that write the same resources win. */
const maxAttempts = 5;
/** Longest pause before the second attempt, in milliseconds; it doubles with each further one. */
const firstPauseMs = 10;

/** SQLSTATE of transactions that ended because of others: serialization failure, deadlock, a lock held too long. */
const transientStates: ReadonlySet<unknown> = new Set(['40001', '40P01', '55P03']);

/** A conditional create found a resource that was not there when references to it were written. */
export class LostRace extends Error {
  override name = 'LostRace';
}

/**
 * Runs a whole transaction, again when it was rolled back because of others. `work` must leave nothing behind when it fails.
 * @throws FhirError 409 when others keep winning.
 */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (attempt >= maxAttempts)
        throw new FhirError(409, 'conflict', 'other requests write the same resources: try again');
      // Those who collided must not meet again at the same moment.
      await pause(Math.random() * firstPauseMs * 2 ** (attempt - 1));
    }
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof LostRace) return true;
  return error instanceof Error && 'code' in error && transientStates.has(error.code);
}
