/**
 * How long a search may take. Every statement has the limit in the database, and of one search (links of chains, pages, includes) none
 * begins after it: a search that would read everything ends with an answer that says so. A statement that is not done after a few
 * seconds is begun anew, in another way where there is one: the planner may have hoped to meet the rows soon along an index, and was wrong.
 */
import type { Sql } from '../../db/index.ts';
import { tooCostly } from './refusals.ts';

/** Defaults for a whole search and for counting its matches, in milliseconds. */
export const defaultSearchTimeoutMs = 10_000;
export const countTimeoutMs = 3_000;
/** After which a statement is begun anew. One value for nearly all statements: changing it costs a round trip. */
const firstTryMs = countTimeoutMs;

/** A connection whose statements end in time. */
export interface BoundedSql {
  /**
   * @param otherwise the same rows by another statement with the same values, for when the first takes too long.
   * @throws FhirError 422 `too-costly` when the time is over.
   */
  query<Row extends object>(text: string, values: readonly unknown[], otherwise?: string): Promise<Row[]>;
  /** The same connection with less time. */
  within(limitMs: number): BoundedSql;
}

/** SQLSTATE of a statement that was ended, by its timeout or by hand; and of one after it in the same transaction. */
const ended: readonly unknown[] = ['57014', '25P02'];

export function boundSql(sql: Sql, limitMs: number): BoundedSql {
  const end = performance.now() + limitMs;
  /** @returns undefined when it took longer. */
  async function run<Row extends object>(text: string, values: readonly unknown[], timeoutMs: number) {
    try {
      return (await sql.query<Row & Record<string, unknown>>({ text, values, timeoutMs })).rows;
    } catch (error) {
      if (ended.includes((error as { code?: unknown } | null)?.code)) return undefined;
      throw error;
    }
  }
  return {
    async query<Row extends object>(
      text: string,
      values: readonly unknown[],
      otherwise: string = text,
    ): Promise<Row[]> {
      if (performance.now() > end) throw outOfTime(limitMs);
      const found = await run<Row>(text, values, Math.min(firstTryMs, limitMs));
      if (found) return found;
      const leftMs = Math.floor(end - performance.now());
      const foundAfterAll = leftMs > 0 ? await run<Row>(otherwise, values, leftMs) : undefined;
      if (!foundAfterAll) throw outOfTime(limitMs);
      return foundAfterAll;
    },
    within: (shorterMs) => boundSql(sql, Math.min(shorterMs, limitMs)),
  };
}

function outOfTime(limitMs: number) {
  return tooCostly(
    `The search was ended after ${limitMs / 1000} s: add a condition on a code, a reference, an identifier or a date, ask for a smaller page, or leave out _sort and _total`,
  );
}
