import type { Database } from './database.ts';
import { platformTenant } from './database.ts';

/** What a superuser runs once in the database when the migration was not one (after a restore, too). */
export const leakproofStatements =
  'ALTER FUNCTION pg_catalog.arraycontains(anyarray, anyarray) LEAKPROOF; ' +
  'ALTER FUNCTION pg_catalog.arrayoverlap(anyarray, anyarray) LEAKPROOF;';

/**
 * Whether searches can use their index under row-level security (design §5 rule 8): the planner applies an array operator before
 * the tenant's policy only when it is marked leakproof. Without the mark searches are right but slow.
 */
export async function searchesUseTheirIndex(database: Database): Promise<boolean> {
  const { rows } = await database.query<{ marked: boolean }>(
    platformTenant,
    `SELECT bool_and(proleakproof) AS marked FROM pg_proc
     WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN ('arraycontains', 'arrayoverlap')`,
  );
  return rows[0]?.marked === true;
}
