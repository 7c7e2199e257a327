/** What a tenant's index was made with (migrations/0014_reindex.sql). */
import { hash } from 'node:crypto';
import type { Database, Sql } from '../../db/index.ts';

/** Part of the index that the program's definitions make. */
export const programPart = 'program';

/** A hash that changes when the definitions do. */
export function definitionHash(definitions: unknown): string {
  return hash('sha256', JSON.stringify(definitions)).slice(0, 32);
}

/** Hash of every part: `program`, and the ids of SearchParameters. */
export async function readIndexState(
  database: Pick<Database, 'query'>,
  tenant: string,
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await database.query<{ part: string; made_with: string }>(
    tenant,
    'SELECT part, made_with FROM fhir.index_state WHERE tenant = $1 ORDER BY part',
    [tenant],
  );
  return new Map(rows.map((row) => [row.part, row.made_with]));
}

export async function writeIndexState(
  sql: Sql,
  tenant: string,
  parts: Readonly<Record<string, string>>,
): Promise<void> {
  await sql.query(
    `INSERT INTO fhir.index_state (tenant, part, made_with)
     SELECT $1, * FROM unnest($2::text[], $3::text[])
     ON CONFLICT (tenant, part) DO UPDATE SET made_with = excluded.made_with`,
    [tenant, Object.keys(parts), Object.values(parts)],
  );
}
