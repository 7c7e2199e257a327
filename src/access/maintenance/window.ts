/** Windows of remote maintenance (SE-11): announced before, for one named person, for a time, with a reason and a report. */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/index.ts';

export interface Announcement {
  tenant: string;
  /** Account with the role `support`, the person's own. */
  login: string;
  /** Who comes, and for whom. */
  person: string;
  company: string;
  reason: string;
  startsAt: Date;
  /** At most 24 hours later. */
  endsAt: Date;
  announcedBy: string;
}

export interface MaintenanceWindow extends Announcement {
  id: string;
  announcedAt: Date;
  closedAt?: Date;
  closedBy?: string;
  report?: string;
}

/** The account that maintains others' machines, whose every use is bound to a window. */
export const supportRole = 'support';

const longestText = 2_000;
const longestWindowMs = 24 * 3_600_000;

interface Row {
  id: string;
  login: string;
  person: string;
  company: string;
  reason: string;
  announced_at: Date;
  announced_by: string;
  starts_at: Date;
  ends_at: Date;
  closed_at: Date | null;
  closed_by: string | null;
  report: string | null;
}

const columns =
  'id, login, person, company, reason, announced_at, announced_by, starts_at, ends_at, closed_at, closed_by, report';

/**
 * Announces a window before it begins.
 * @returns its id.
 * @throws RangeError saying what is missing or wrong.
 */
export async function announce(database: Database, wanted: Announcement, now: Date): Promise<string> {
  const { tenant, login, person, company, reason, startsAt, endsAt, announcedBy } = wanted;
  for (const [name, text] of Object.entries({ person, company, reason, announcedBy })) {
    if (text.trim() === '' || text.length > longestText)
      throw new RangeError(`--${name} : 1 à ${longestText} caractères`);
  }
  const lengthMs = endsAt.getTime() - startsAt.getTime();
  if (!(lengthMs > 0 && lengthMs <= longestWindowMs))
    throw new RangeError('une fenêtre finit dans les 24 heures après son début');
  if (startsAt.getTime() < now.getTime()) throw new RangeError('une fenêtre s’annonce avant de commencer');
  const id = randomUUID();
  const { rowCount } = await database.query(
    tenant,
    `INSERT INTO maintenance_window
       (tenant, id, login, person, company, reason, announced_at, announced_by, starts_at, ends_at)
     SELECT $1, $2, login, $4, $5, $6, $7, $8, $9, $10 FROM account
     WHERE tenant = $1 AND login = $3 AND $11 = ANY (roles) AND NOT disabled`,
    [tenant, id, login, person, company, reason, now, announcedBy, startsAt, endsAt, supportRole],
  );
  if (!rowCount)
    throw new RangeError(`le groupe ${tenant} n’a pas de compte utilisable « ${login} » avec le rôle ${supportRole}`);
  return id;
}

/** The window in which the account may be used now. */
export async function openWindow(
  database: Database,
  tenant: string,
  login: string,
  now: Date,
): Promise<MaintenanceWindow | undefined> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM maintenance_window
     WHERE tenant = $1 AND login = $2 AND starts_at <= $3 AND ends_at > $3 AND closed_at IS NULL
     ORDER BY ends_at DESC LIMIT 1`,
    [tenant, login, now],
  );
  return rows[0] && windowOf(tenant, rows[0]);
}

export async function findWindow(
  database: Database,
  tenant: string,
  id: string,
): Promise<MaintenanceWindow | undefined> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM maintenance_window WHERE tenant = $1 AND id = $2`,
    [tenant, id],
  );
  return rows[0] && windowOf(tenant, rows[0]);
}

/** The last hundred, newest first. */
export async function listWindows(database: Database, tenant: string): Promise<MaintenanceWindow[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM maintenance_window WHERE tenant = $1 ORDER BY starts_at DESC LIMIT 100`,
    [tenant],
  );
  return rows.map((row) => windowOf(tenant, row));
}

/**
 * Closes a window with the report of who worked in it; what was opened with the account ends.
 * @throws RangeError when it is unknown or closed already, or the report is empty.
 */
export async function closeWindow(
  database: Database,
  tenant: string,
  id: string,
  { report, closedBy, at }: { report: string; closedBy: string; at: Date },
): Promise<void> {
  if (report.trim() === '')
    throw new RangeError('une fenêtre se clôt avec le compte rendu de ce qui a été fait (--report)');
  await database.transaction(tenant, async (sql) => {
    const { rows } = await sql.query<{ login: string }>(
      `UPDATE maintenance_window SET closed_at = $3, closed_by = $4, report = $5
       WHERE tenant = $1 AND id = $2 AND closed_at IS NULL RETURNING login`,
      [tenant, id, at, closedBy, report],
    );
    if (!rows[0]) throw new RangeError(`aucune fenêtre ouverte ${id}`);
    await sql.query('DELETE FROM credential WHERE tenant = $1 AND login = $2', [tenant, rows[0].login]);
  });
}

function windowOf(tenant: string, row: Row): MaintenanceWindow {
  return {
    tenant,
    id: row.id,
    login: row.login,
    person: row.person,
    company: row.company,
    reason: row.reason,
    announcedAt: row.announced_at,
    announcedBy: row.announced_by,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    ...(row.closed_at ? { closedAt: row.closed_at } : {}),
    ...(row.closed_by ? { closedBy: row.closed_by } : {}),
    ...(row.report ? { report: row.report } : {}),
  };
}
