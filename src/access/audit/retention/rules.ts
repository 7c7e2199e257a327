/** How long the trail of a tenant is kept: by default a year past the end of its contract (SE-6). */
import { type Database, platformTenant } from '../../../db/index.ts';

const dayMs = 86_400_000;
/** Of the platform's own tenant, which has no contract: so long after it was recorded. */
const platformKeepDays = 365;

export interface RetentionRule {
  contractEnd: Date;
  keepDays: number;
}

/** Undefined while no end of the contract is known: then everything is kept. */
export async function readRetention(database: Database, tenant: string): Promise<RetentionRule | undefined> {
  const { rows } = await database.query<{ contract_end: string; keep_days: number }>(
    tenant,
    'SELECT contract_end::text AS contract_end, keep_days FROM audit_retention WHERE tenant = $1 AND contract_end IS NOT NULL',
    [tenant],
  );
  const [row] = rows;
  return row && { contractEnd: new Date(`${row.contract_end}T00:00:00Z`), keepDays: row.keep_days };
}

export async function saveRetention(database: Database, tenant: string, rule: RetentionRule): Promise<void> {
  await database.query(
    tenant,
    `INSERT INTO audit_retention (tenant, contract_end, keep_days) VALUES ($1, $2::date, $3)
     ON CONFLICT (tenant) DO UPDATE SET contract_end = excluded.contract_end, keep_days = excluded.keep_days`,
    [tenant, rule.contractEnd.toISOString().slice(0, 10), rule.keepDays],
  );
}

/**
 * Until when what was recorded before `until` is kept; undefined: nobody knows yet.
 */
export function keptUntil(tenant: string, rule: RetentionRule | undefined, until: Date): Date | undefined {
  if (rule) return new Date(rule.contractEnd.getTime() + (rule.keepDays + 1) * dayMs);
  return tenant === platformTenant ? new Date(until.getTime() + platformKeepDays * dayMs) : undefined;
}
