/**
 * How long a search may take. Every statement has the limit in the database, and of one search (links of chains, pages, includes) none
 * begins after it: a search that would read everything ends with an answer that says so.
 */
import type { Sql } from '../../db/index.ts';
import { tooCostly } from './refusals.ts';

/** Defaults for a whole search and for counting its matches, in milliseconds. */
export const defaultSearchTimeoutMs = 10_000;
export const countTimeoutMs = 3_000;

/** A connection whose statements end in time. */
export interface BoundedSql {
  /** @throws FhirError 422 `too-costly` when the time is over. */
  query<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]>;
  /** The same connection with less time. */
  within(limitMs: number): BoundedSql;
}

/** SQLSTATE of a statement that was ended: by its timeout, or by hand. */
const canceled = '57014';

export function boundSql(sql: Sql, limitMs: number): BoundedSql {
  const end = performance.now() + limitMs;
  return {
    async query<Row extends object>(text: string, values: readonly unknown[]): Promise<Row[]> {
      if (performance.now() > end) throw outOfTime(limitMs);
      try {
        // One value for all statements of a kind: changing it costs a round trip.
        return (await sql.query<Row & Record<string, unknown>>({ text, values, timeoutMs: limitMs })).rows;
      } catch (error) {
        if ((error as { code?: unknown } | null)?.code === canceled) throw outOfTime(limitMs);
        throw error;
      }
    },
    within: (shorterMs) => boundSql(sql, Math.min(shorterMs, limitMs)),
  };
}

function outOfTime(limitMs: number) {
  return tooCostly(
    `The search was ended after ${limitMs / 1000} s: add a condition on a code, a reference, an identifier or a date, ask for a smaller page, or leave out _sort and _total`,
  );
}
