/** Names the entry of a Bundle in what is thrown about it. */
import { FhirError } from '../contract.ts';
import { atEntry } from './errors.ts';

export function at<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw located(error, index);
  }
}

export async function atAsync<T>(index: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw located(error, index);
  }
}

export function located(error: unknown, index: number): unknown {
  return error instanceof FhirError ? FhirError.of(error.status, atEntry(error.outcome, index).issue) : error;
}
