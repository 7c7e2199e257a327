/** Sessions of an account: where from, since when, on what; one list to see them and to end them (SE-2). */
import type { Database, Sql } from '../../db/index.ts';
import { hashSecret, newSecret, tenantOfSecret } from '../credentials.ts';
import { sessionIdleMs } from '../standing.ts';

export interface SessionSummary {
  /** Names the session without opening it. */
  id: string;
  createdAt: Date;
  /** To the minute. */
  seenAt: Date;
  expiresAt: Date;
  network?: string;
  device?: string;
  methods: string[];
  /** The one the request came with. */
  current: boolean;
}

/** What the request's own session says. */
export interface OwnSession {
  id: string;
  login: string;
  tenant: string;
  /** When a proof was last given in it. */
  provenAt: Date;
}

interface Row {
  id: string;
  created_at: Date;
  seen_at: Date;
  expires_at: Date;
  network: string | null;
  device: string | null;
  methods: string[];
}

/** Sessions alive at `now`, the one used last first. @param current id of the caller's own. */
export async function listSessions(
  database: Database,
  { tenant, login, current }: { tenant: string; login: string; current?: string },
  now: Date,
): Promise<SessionSummary[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT id, created_at, seen_at, expires_at, network, device, methods FROM credential
     WHERE tenant = $1 AND login = $2 AND kind = 'session' AND expires_at > $3 AND seen_at > $4
     ORDER BY seen_at DESC, created_at DESC`,
    [tenant, login, now, new Date(now.getTime() - sessionIdleMs)],
  );
  return rows.map((row) => ({
    id: row.id,
    createdAt: row.created_at,
    seenAt: row.seen_at,
    expiresAt: row.expires_at,
    ...(row.network ? { network: row.network } : {}),
    ...(row.device ? { device: row.device } : {}),
    methods: row.methods,
    current: row.id === current,
  }));
}

/** The session behind a secret that was just identified. */
export async function readOwnSession(database: Database, secret: string): Promise<OwnSession | undefined> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return undefined;
  const { rows } = await database.query<{ id: string; login: string; created_at: Date; proven_at: Date | null }>(
    tenant,
    `SELECT id, login, created_at, proven_at FROM credential WHERE tenant = $1 AND secret_hash = $2 AND kind = 'session'`,
    [tenant, hashSecret(secret)],
  );
  const row = rows[0];
  return row && { id: row.id, login: row.login, tenant, provenAt: row.proven_at ?? row.created_at };
}

/** Ends one session of an account by its id. @returns how many: 1 or 0. */
export async function endSession(
  sql: Sql,
  { tenant, login, id }: { tenant: string; login: string; id: string },
): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM credential WHERE tenant = $1 AND login = $2 AND kind = 'session' AND id = $3::uuid`,
    [tenant, login, id],
  );
  return rowCount ?? 0;
}

/**
 * Ends the sessions of an account, all or all but one, inside the caller's transaction; and what apps were allowed in its name: a
 * thief could have let one in, whose refresh token outlives every session.
 * @returns how many of either.
 */
export async function endSessions(
  sql: Sql,
  tenant: string,
  login: string,
  exceptId?: string,
): Promise<{ sessions: number; applications: number }> {
  const grants = await sql.query('DELETE FROM oauth_grant WHERE tenant = $1 AND login = $2', [tenant, login]);
  const { rowCount } = await sql.query(
    `DELETE FROM credential
     WHERE tenant = $1 AND login = $2 AND kind = 'session' AND id IS DISTINCT FROM $3::uuid`,
    [tenant, login, exceptId ?? null],
  );
  return { sessions: rowCount ?? 0, applications: grants.rowCount ?? 0 };
}

/** More at the same time is nobody's day's work: sessions forgotten on other machines, or somebody else's. */
const sessionsAtMost = 10;

/** Ends the sessions of an account that were used longest ago beyond `sessionsAtMost`. @returns how many. */
export async function endOldestSessions(
  database: Database,
  { tenant, login }: { tenant: string; login: string },
): Promise<number> {
  const { rowCount } = await database.query(
    tenant,
    `DELETE FROM credential WHERE tenant = $1 AND login = $2 AND kind = 'session' AND id NOT IN (
       SELECT id FROM credential WHERE tenant = $1 AND login = $2 AND kind = 'session'
       ORDER BY seen_at DESC, created_at DESC LIMIT $3)`,
    [tenant, login, sessionsAtMost],
  );
  return rowCount ?? 0;
}

/**
 * Gives a session a new secret because its rights changed (session fixation), and notes that a proof was given now.
 * @returns the new secret; undefined when the session ended meanwhile.
 */
export async function renewSecret(database: Database, secret: string, now: Date): Promise<string | undefined> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return undefined;
  const renewed = newSecret(tenant);
  const { rowCount } = await database.query(
    tenant,
    `UPDATE credential SET secret_hash = $3, proven_at = $4 WHERE tenant = $1 AND secret_hash = $2 AND kind = 'session'`,
    [tenant, hashSecret(secret), hashSecret(renewed), now],
  );
  return rowCount === 1 ? renewed : undefined;
}
