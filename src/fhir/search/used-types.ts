/** Types a tenant has anything of: what goes over the whole system reads those tables only. */
import { type RunningSearch, tableOf } from './scope.ts';

/** The statement that tells which of `types` the tenant `$1` has any row of, deleted ones included; one column, `type`. */
export function usedTypesStatement(types: Iterable<string>): string {
  return Array.from(
    types,
    (type) => `SELECT '${type}' AS type WHERE EXISTS (SELECT FROM ${tableOf(type)} WHERE tenant = $1)`,
  ).join(' UNION ALL ');
}

export async function usedTypes({ registry, sql, tenant }: RunningSearch): Promise<string[]> {
  const rows = await sql.query<{ type: string }>(usedTypesStatement(registry.types), [tenant]);
  return rows.map(({ type }) => type);
}
