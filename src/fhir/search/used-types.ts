/** Types a tenant has anything of: what goes over the whole system reads those tables only. */
import { type RunningSearch, tableOf } from './scope.ts';

export async function usedTypes({ registry, sql, tenant }: RunningSearch): Promise<string[]> {
  const arms = [...registry.types].map(
    (type) => `SELECT '${type}' AS type WHERE EXISTS (SELECT FROM ${tableOf(type)} WHERE tenant = $1)`,
  );
  const rows = await sql.query<{ type: string }>(arms.join(' UNION ALL '), [tenant]);
  return rows.map(({ type }) => type);
}
