/**
 * `_total` and `_summary=count` (https://hl7.org/fhir/R4/search.html#total). An estimate is the count as well: the planner's statistics are
 * of every tenant's rows together, and would tell one tenant of the volume of another.
 */
import type { RunningSearch } from './scope.ts';
import { tableOf } from './scope.ts';
import type { SqlValues } from './sql-values.ts';

/** Conditions of the types that are counted together; parameters are shared. */
interface Counted {
  texts: ReadonlyMap<string, string>;
  values: SqlValues;
}

/** @throws FhirError 422 `too-costly` when counting takes longer than `search` may. */
export async function countMatches(search: RunningSearch, { texts, values }: Counted): Promise<number> {
  if (texts.size === 0) return 0;
  const counts = [...texts].map(([type, text]) => `(SELECT count(*) FROM ${tableOf(type)} r WHERE ${text})`);
  const [row] = await search.sql.query<{ count: string }>(`SELECT ${counts.join(' + ')} AS count`, values.list);
  return Number(row!.count);
}
