/** Work that others got in the way of, done again (https://hl7.org/fhir/R4/http.html#transaction: never answered as if it were kept). */
import { setTimeout as pause } from 'node:timers/promises';
import { FhirError } from '../contract.ts';

/** How often a transaction is run before others that write the same resources win. */
const maxAttempts = 5;
/** Longest pause before the second attempt, in milliseconds; it doubles with each further one. */
const firstPauseMs = 10;

const serializationFailure = '40001';
/** SQLSTATE of transactions that ended because of others: that one, a deadlock, a lock held too long. */
const transientStates: ReadonlySet<unknown> = new Set([serializationFailure, '40P01', '55P03']);

/** A conditional create found a resource that was not there when references to it were written. */
export class LostRace extends Error {
  override name = 'LostRace';
}

/**
 * Runs a whole transaction, again when it was rolled back because of others. `work` must leave nothing behind when it fails.
 * @throws FhirError 409 when others keep winning, with the SQLSTATE as `code`.
 */
export async function withRetries<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof LostRace) && !isContention(error)) throw error;
      if (attempt >= maxAttempts)
        throw Object.assign(new FhirError(409, 'conflict', 'other requests write the same resources: try again'), {
          code: isContention(error) ? error.code : serializationFailure,
        });
      // Those who collided must not meet again at the same moment.
      await pause(Math.random() * firstPauseMs * 2 ** (attempt - 1));
    }
  }
}

/** Others got in the way, and nothing is wrong with what was asked: also of what `withRetries` throws in the end. */
export function isContention(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && transientStates.has(error.code);
}
