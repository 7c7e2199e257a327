/** What is in the trail's tables and in no seal: added beside the application, or taken away before it was sealed. */
import type { Database, Sql } from '../../../db/index.ts';
import { timePrefix } from '../months.ts';
import type { Fault } from './prove.ts';

/**
 * Looks at one picture of the database, so that what is sealed meanwhile does not confuse it.
 * @param since only what was recorded from then on; everything when absent.
 */
export function findStranger(database: Database, tenant: string, since?: Date): Promise<Fault | undefined> {
  return database.transaction(tenant, async (sql) => {
    await sql.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    // A trail of years takes longer than a statement usually may.
    await sql.query("SELECT set_config('statement_timeout', '0', true)");
    return (
      (await insertedRow(sql, tenant, since)) ??
      (await insertedEvent(sql, tenant, since)) ??
      (await insertedVersion(sql, tenant)) ??
      removedUnsealed(sql, tenant)
    );
  });
}

async function insertedRow(sql: Sql, tenant: string, since: Date | undefined): Promise<Fault | undefined> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT j.id FROM fhir.journal j WHERE j.tenant = $1 AND ($2::text IS NULL OR j.id >= $2)
       AND NOT EXISTS (SELECT FROM fhir.journal_pending p WHERE p.tenant = $1 AND p.id = j.id)
     EXCEPT SELECT split_part(line, ' ', 1) FROM audit_seal s, string_to_table(s.manifest, E'\\n') line
       WHERE s.tenant = $1 AND ($3::timestamptz IS NULL OR s.sealed_at >= $3)
     ORDER BY id LIMIT 1`,
    [tenant, since ? timePrefix(since) : null, since ?? null],
  );
  return rows[0] && { kind: 'row-inserted', row: rows[0].id };
}

async function insertedEvent(sql: Sql, tenant: string, since: Date | undefined): Promise<Fault | undefined> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT unsealed.id FROM (
       SELECT e.id FROM fhir.auditevent e WHERE e.tenant = $1 AND ($2::timestamptz IS NULL OR e.updated >= $2)
       EXCEPT SELECT split_part(item, '=', 1) FROM audit_seal s, string_to_table(s.manifest, E'\\n') line, string_to_table(line, ' ') item
         WHERE s.tenant = $1 AND ($2::timestamptz IS NULL OR s.sealed_at >= $2)) unsealed
     WHERE NOT EXISTS (SELECT FROM fhir.journal_pending p JOIN fhir.journal j ON j.tenant = $1 AND j.id = p.id
       WHERE p.tenant = $1 AND strpos(j.entries, unsealed.id) > 0)
     ORDER BY id LIMIT 1`,
    [tenant, since ?? null],
  );
  return rows[0] && { kind: 'event-inserted', event: rows[0].id };
}

/** An event has one version: whatever else is served under its id was never written by us. */
async function insertedVersion(sql: Sql, tenant: string): Promise<Fault | undefined> {
  const { rows } = await sql.query<{ id: string }>(
    'SELECT id FROM fhir.auditevent_past WHERE tenant = $1 ORDER BY id LIMIT 1',
    [tenant],
  );
  return rows[0] && { kind: 'event-inserted', event: rows[0].id };
}

async function removedUnsealed(sql: Sql, tenant: string): Promise<Fault | undefined> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT p.id FROM fhir.journal_pending p WHERE p.tenant = $1
       AND NOT EXISTS (SELECT FROM fhir.journal j WHERE j.tenant = $1 AND j.id = p.id)
     ORDER BY p.id LIMIT 1`,
    [tenant],
  );
  return rows[0] && { kind: 'row-removed-unsealed', row: rows[0].id };
}
