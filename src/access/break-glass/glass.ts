/** Breaking the glass: somebody opens, for a reason and a while, a record they do not see (migrations/0101_break_glass.sql). */
import type { Database, Sql } from '../../db/index.ts';

export interface Glass {
  tenant: string;
  id: string;
  account: string;
  /** `Patient/[id]` or `Task/[id]`. */
  reference: string;
  reason: string;
  openedAt: Date;
  /** It closes by itself. */
  until: Date;
}

/** References an account has open now. */
export async function openGlass(
  database: Database,
  tenant: string,
  account: string,
  now: Date,
): Promise<{ reference: string }[]> {
  const { rows } = await database.query<{ reference: string }>(tenant, {
    name: 'open_glass',
    text: `SELECT DISTINCT reference FROM break_glass
           WHERE tenant = $1 AND account = $2 AND opened_at <= $3 AND until > $3`,
    values: [tenant, account, now],
  });
  return rows;
}

export async function insertGlass(sql: Sql, glass: Glass): Promise<void> {
  const { tenant, id, account, reference, reason, openedAt, until } = glass;
  await sql.query(
    `INSERT INTO break_glass (tenant, id, account, reference, reason, opened_at, until)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [tenant, id, account, reference, reason, openedAt, until],
  );
}

/** Those whose time is over and of which the trail does not say so yet; each is handed to one caller only. */
export async function takeEnded(sql: Sql, tenant: string, now: Date): Promise<Glass[]> {
  const { rows } = await sql.query<{
    id: string;
    account: string;
    reference: string;
    reason: string;
    opened_at: Date;
    until: Date;
  }>(
    `UPDATE break_glass SET end_told = true WHERE tenant = $1 AND until <= $2 AND NOT end_told
     RETURNING id, account, reference, reason, opened_at, until`,
    [tenant, now],
  );
  return rows.map(({ opened_at: openedAt, ...row }) => ({ tenant, openedAt, ...row }));
}
