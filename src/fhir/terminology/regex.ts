/**
 * Regular expressions of filters. A tenant writes them, so they run in PostgreSQL: its engine needs no exponential time where
 * JavaScript's would, a statement has a time limit, and systems in memory and in tables understand one dialect.
 */
import type { Sql } from '../../db/index.ts';
import { invalid } from './problems.ts';

/** SQLSTATE of a pattern that is none. */
const invalidPattern = '2201B';

/** The pattern must match the whole value. Back references, which would take exponential time, are refused. @throws FhirError 400. */
export function wholePattern(pattern: string): string {
  if (/\\[1-9]/.test(pattern) || pattern.startsWith('***'))
    throw invalid('Back references and directors are not allowed in a regular expression');
  return `^(?:${pattern})$`;
}

/** Says of an error of the database whether the pattern is to blame. */
export function explainPattern(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code === invalidPattern
    ? invalid('The regular expression of a filter cannot be read')
    : error;
}

/** Those of the values that match. @throws FhirError 400 for what is no regular expression. */
export async function matchingValues(sql: Sql, values: readonly string[], pattern: string): Promise<Set<string>> {
  try {
    const { rows } = await sql.query<{ value: string }>(
      'SELECT DISTINCT value FROM unnest($1::text[]) AS value WHERE value ~ $2',
      [values, wholePattern(pattern)],
    );
    return new Set(rows.map(({ value }) => value));
  } catch (error) {
    throw explainPattern(error);
  }
}
