/** How far a tenant's trail was copied out (migrations/0140_audit_chain.sql): an outage is made good from there. */
import type { Database } from '../../../db/index.ts';

export type ExportDestination = 'ndjson' | 'syslog';

/** Number of the last seal that went out; 0 when none did. */
export async function readPosition(
  database: Database,
  tenant: string,
  destination: ExportDestination,
): Promise<number> {
  const { rows } = await database.query<{ number: string }>(
    tenant,
    'SELECT number FROM audit_export WHERE tenant = $1 AND destination = $2',
    [tenant, destination],
  );
  return Number(rows[0]?.number ?? 0);
}

/** Never goes back. */
export async function savePosition(
  database: Database,
  tenant: string,
  destination: ExportDestination,
  position: { number: number; at: Date },
): Promise<void> {
  await database.query(
    tenant,
    `INSERT INTO audit_export (tenant, destination, number, at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, destination) DO UPDATE SET number = excluded.number, at = excluded.at
     WHERE audit_export.number < excluded.number`,
    [tenant, destination, position.number, position.at],
  );
}
