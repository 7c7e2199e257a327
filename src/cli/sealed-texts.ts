/** Texts in the database that a master key still seals: asked of every column, so that no room's secret is forgotten. */
import type { Database } from '../db/index.ts';

/** @returns `table.column`, of those with at least one such text; resources are not looked into, they hold none. */
export async function columnsSealedWith(database: Database, keyId: string): Promise<string[]> {
  const { rows } = await database.query<{ table: string; column: string }>(
    'platform',
    `SELECT c.oid::regclass::text AS table, quote_ident(a.attname) AS column
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relrowsecurity
       AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'text'::regtype
       AND has_column_privilege(c.oid, a.attnum, 'SELECT')
     ORDER BY 1, 2`,
  );
  const found = new Set<string>();
  for (const tenant of await database.tenants()) {
    for (const { table, column } of rows) {
      const answer = await database.query(
        tenant,
        `SELECT 1 FROM ${table} WHERE tenant = $1 AND starts_with(${column}, $2) LIMIT 1`,
        [tenant, `v1.${keyId}.`],
      );
      if (answer.rows.length > 0) found.add(`${table}.${column}`);
    }
  }
  return [...found];
}
