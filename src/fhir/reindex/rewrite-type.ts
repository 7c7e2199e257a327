/** Search values of one type computed anew by an operator, where the application itself may not change the rows (the audit trail). */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import { parseJson } from '../json/index.ts';
import { createIndexer, orderedParams } from '../search/index-values.ts';
import { createKeyHasher } from '../search/keys.ts';
import { createParameterRegistry } from '../search/parameters.ts';
import { tableOf } from '../search/scope.ts';
import { interpretPath } from '../store/interpreter.ts';
import { rewriteIndex } from '../store/rows.ts';

/** As many as one statement of `rewriteIndex` takes. */
const rowsAtOnce = 64;

/**
 * Goes over every row of the type in the order of ids; versions and contents stay as they are.
 * @param sql a connection in the scope of the tenant whose role may update the table.
 * @param base our own FHIR address, as the server knows it: references by it are local ones.
 * @returns how many rows were looked at.
 */
export async function rewriteSearchValues(
  sql: Sql,
  tenant: string,
  type: ResourceType,
  base: () => string | undefined,
): Promise<number> {
  const registry = createParameterRegistry(loadSearchDefinitions(), interpretPath, base);
  const index = createIndexer(registry, createKeyHasher());
  const ordered = orderedParams(registry.of(type).values());
  let seen = 0;
  for (let last = ''; ; ) {
    const { rows } = await sql.query<{ id: string; version: number; updated: Date; content: string }>(
      `SELECT id, version, updated, content FROM ${tableOf(type)} WHERE tenant = $1 AND id > $2 AND NOT deleted
       ORDER BY id LIMIT ${rowsAtOnce}`,
      [tenant, last],
    );
    const made = rows.map(({ id, version, updated, content }) => ({
      ...{ type, id, version, updated, text: content },
      index: index(tenant, type, parseJson(content)),
    }));
    await rewriteIndex(sql, tenant, made, ordered);
    seen += rows.length;
    if (rows.length < rowsAtOnce) return seen;
    last = rows.at(-1)!.id;
  }
}
