/** What one query may cost: refused before, or stopped while it runs; never cut short silently. */
import { GraphQLError } from 'graphql';

export const limits = {
  characters: 100_000,
  tokens: 10_000,
  /** Selections inside one another. */
  depth: 20,
  /** Fields of the query, fragments counted where they are used. */
  fields: 2_000,
  /** Resources read, in all. */
  resources: 2_000,
  /** Values of the answer. */
  values: 500_000,
  /** Of the clock, from the beginning of the execution. */
  timeMs: 15_000,
  /** Characters of a FHIRPath. */
  fhirPath: 500,
} as const;

/** Ends the whole query, where other errors end one field of it. */
export class LimitError extends GraphQLError {
  override name = 'LimitError';
}

export interface Budget {
  resources(count: number): void;
  values(count: number): void;
}

/** @throws LimitError from either function as soon as the query has cost too much. */
export function createBudget(nowMs: () => number): Budget {
  const startedMs = nowMs();
  const spent = { resources: 0, values: 0 };
  const spend = (what: keyof typeof spent, count: number) => {
    spent[what] += count;
    if (spent[what] > limits[what])
      throw new LimitError(`The query reads more than ${limits[what]} ${what}: ask for less`);
    if (nowMs() - startedMs > limits.timeMs)
      throw new LimitError(`The query takes longer than ${limits.timeMs / 1000} seconds: ask for less`);
  };
  return { resources: (count) => spend('resources', count), values: (count) => spend('values', count) };
}
