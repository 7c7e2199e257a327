/** Types a tenant has anything of: what goes over the whole system reads those tables only. */
import { type SeenRows, seenCondition } from './row-limits.ts';
import { type RunningSearch, tableOf } from './scope.ts';
import { createSqlValues } from './sql-values.ts';

/** The statement that tells which of `types` a tenant has any row of that is seen, deleted ones included; one column, `type`. */
export function usedTypesStatement(
  types: Iterable<string>,
  tenant: string,
  seen?: SeenRows,
): { text: string; values: readonly unknown[] } {
  const values = createSqlValues(tenant);
  const arms = Array.from(types, (type) => {
    const condition = seenCondition(seen, type, values);
    const rows = `SELECT FROM ${tableOf(type)} r WHERE r.tenant = $1${condition === undefined ? '' : ` AND ${condition}`}`;
    return `SELECT '${type}' AS type WHERE EXISTS (${rows})`;
  });
  return { text: arms.join(' UNION ALL '), values: values.list };
}

export async function usedTypes({ registry, sql, tenant, rows }: RunningSearch): Promise<string[]> {
  const { text, values } = usedTypesStatement(registry.types, tenant, rows);
  return (await sql.query<{ type: string }>(text, values)).map(({ type }) => type);
}
