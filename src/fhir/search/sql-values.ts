/** Parameters of a statement being put together. */
import { tooCostly } from './refusals.ts';

/** PostgreSQL counts parameters with 16 bits, and plans longer than it runs long before: 5,000 numbers take it a second. */
const mostValues = 20_000;

export interface SqlValues {
  /** Adds a value; answers its placeholder, `$3`. @throws FhirError 422 `too-costly` when there are too many. */
  add(value: unknown): string;
  readonly list: readonly unknown[];
}

export function createSqlValues(...first: unknown[]): SqlValues {
  const list: unknown[] = [...first];
  return {
    list,
    add(value) {
      if (list.length >= mostValues) throw tooCostly('The search has too many values: ask for fewer at once');
      list.push(value);
      return `$${list.length}`;
    },
  };
}
