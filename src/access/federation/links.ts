/** Which account a person of an identity source has here. */
import type { Database, Sql } from '../../db/index.ts';

/** `ldap/chu`, `openid/psc`: kind and name of a source in the configuration. */
export type SourceId = `${'ldap' | 'openid'}/${string}`;

export interface Link {
  source: SourceId;
  /** Unchanging id of the person there. */
  subject: string;
  login: string;
  /** Roles and establishments follow the source. */
  follows: boolean;
  sourceLogin?: string;
  linkedBy: string;
  linkedAt: Date;
  seenAt?: Date;
  /** The account was shut off because the source no longer vouches for the person. */
  withdrawnAt?: Date;
}

interface Row {
  source: SourceId;
  subject: string;
  login: string;
  follows: boolean;
  source_login: string | null;
  linked_by: string;
  linked_at: Date;
  seen_at: Date | null;
  withdrawn_at: Date | null;
}

const columns = 'source, subject, login, follows, source_login, linked_by, linked_at, seen_at, withdrawn_at';

function linkOf(row: Row): Link {
  const { source, subject, login, follows } = row;
  return {
    ...{ source, subject, login, follows, linkedBy: row.linked_by, linkedAt: row.linked_at },
    ...(row.source_login === null ? {} : { sourceLogin: row.source_login }),
    ...(row.seen_at ? { seenAt: row.seen_at } : {}),
    ...(row.withdrawn_at ? { withdrawnAt: row.withdrawn_at } : {}),
  };
}

export async function linkOfSubject(
  database: Database,
  { tenant, source, subject }: { tenant: string; source: SourceId; subject: string },
): Promise<Link | undefined> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM account_link WHERE tenant = $1 AND source = $2 AND subject = $3`,
    [tenant, source, subject],
  );
  return rows[0] && linkOf(rows[0]);
}

/** What an account is tied to, by source. */
export async function linksOfLogin(database: Database, tenant: string, login: string): Promise<Link[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM account_link WHERE tenant = $1 AND login = $2 ORDER BY source`,
    [tenant, login],
  );
  return rows.map(linkOf);
}

/** Every link of a tenant, or those to one source, by login. */
export async function listLinks(database: Database, tenant: string, source?: SourceId): Promise<Link[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM account_link WHERE tenant = $1 AND ($2::text IS NULL OR source = $2) ORDER BY login, source`,
    [tenant, source ?? null],
  );
  return rows.map(linkOf);
}

/** @returns false when the person or the account is tied already: one of two first sign-ins at once goes on. */
export async function insertLink(
  sql: Sql,
  tenant: string,
  { source, subject, login, follows, sourceLogin, linkedBy, linkedAt }: Link,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO account_link (tenant, source, subject, login, follows, source_login, linked_by, linked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
    [tenant, source, subject, login, follows, sourceLogin ?? null, linkedBy, linkedAt],
  );
  return rowCount === 1;
}

/** The source was asked and vouches for the person. */
export async function noteSeen(
  database: Database,
  tenant: string,
  { source, subject }: Pick<Link, 'source' | 'subject'>,
  seen: { now: Date; sourceLogin?: string },
): Promise<void> {
  await database.query(
    tenant,
    `UPDATE account_link SET seen_at = $4, withdrawn_at = NULL, source_login = coalesce($5, source_login)
     WHERE tenant = $1 AND source = $2 AND subject = $3`,
    [tenant, source, subject, seen.now, seen.sourceLogin ?? null],
  );
}

export async function noteWithdrawn(
  database: Database,
  tenant: string,
  { source, subject }: Pick<Link, 'source' | 'subject'>,
  now: Date,
): Promise<void> {
  await database.query(
    tenant,
    'UPDATE account_link SET withdrawn_at = $4 WHERE tenant = $1 AND source = $2 AND subject = $3',
    [tenant, source, subject, now],
  );
}

/** @returns whether there was one. */
export async function deleteLink(
  sql: Sql,
  tenant: string,
  { source, login }: Pick<Link, 'source' | 'login'>,
): Promise<boolean> {
  const { rowCount } = await sql.query('DELETE FROM account_link WHERE tenant = $1 AND source = $2 AND login = $3', [
    tenant,
    source,
    login,
  ]);
  return rowCount === 1;
}

/** The state of an account is an administrator's decision from now on. */
export async function forgetWithdrawal(database: Database, tenant: string, login: string): Promise<void> {
  await database.query(tenant, 'UPDATE account_link SET withdrawn_at = NULL WHERE tenant = $1 AND login = $2', [
    tenant,
    login,
  ]);
}
