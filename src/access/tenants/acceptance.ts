/**
 * Accounts of other tenants that a tenant accepts (design §5 rule 8): rows of the accepting tenant. Asked of the database at every
 * request, so that an acceptance that ends has ended everywhere.
 */
import { type Database, platformTenant, type Sql } from '../../db/index.ts';

/** Who of another tenant works here, as what, where and until when. */
export interface Acceptance {
  /** The tenant that accepts. */
  tenant: string;
  id: string;
  login: string;
  /** The tenant of the account. */
  homeTenant: string;
  /** `Practitioner/…` the account acts as in the accepting tenant. */
  reference: string;
  roles: readonly string[];
  /** Ids of Organizations of the accepting tenant, at least one. */
  establishments: readonly string[];
  since: Date;
  /** Excluded; undefined: until it is revoked. */
  until?: Date;
  acceptedBy: string;
  acceptedAt: Date;
  endedAt?: Date;
  endedBy?: string;
}

interface Row {
  tenant: string;
  id: string;
  login: string;
  home_tenant: string;
  reference: string;
  roles: string[];
  establishments: string[];
  since: Date;
  until: Date | null;
  accepted_by: string;
  accepted_at: Date;
  ended_at: Date | null;
  ended_by: string | null;
}

const columns = `tenant, id, login, home_tenant, reference, roles, establishments, since, until, accepted_by, accepted_at,
  ended_at, ended_by`;

function acceptanceOf(row: Row): Acceptance {
  const { tenant, id, login, reference, roles, establishments, since } = row;
  return {
    ...{ tenant, id, login, homeTenant: row.home_tenant, reference, roles, establishments, since },
    ...(row.until ? { until: row.until } : {}),
    acceptedBy: row.accepted_by,
    acceptedAt: row.accepted_at,
    ...(row.ended_at ? { endedAt: row.ended_at } : {}),
    ...(row.ended_by === null ? {} : { endedBy: row.ended_by }),
  };
}

/** The acceptance of a login that holds at `now`; a tenant that does not exist has none. */
export async function acceptanceAt(
  database: Database,
  tenant: string,
  login: string,
  now: Date,
): Promise<Acceptance | undefined> {
  const { rows } = await database.query<Row>(tenant, {
    name: 'acceptance_at',
    text: `SELECT ${columns} FROM acceptance
           WHERE tenant = $1 AND login = $2 AND ended_at IS NULL AND since <= $3 AND (until IS NULL OR until > $3)`,
    values: [tenant, login, now],
  });
  return rows[0] && acceptanceOf(rows[0]);
}

/** Tenants to ask for acceptances of a login, sorted. */
export async function acceptingTenants(database: Database, login: string): Promise<string[]> {
  const { rows } = await database.query<{ tenant: string }>(platformTenant, {
    name: 'accepting_tenants',
    text: `SELECT accepting_tenant AS tenant FROM acceptance_directory WHERE tenant = $1 AND login = $2 ORDER BY 1`,
    values: [platformTenant, login],
  });
  return rows.map(({ tenant }) => tenant);
}

/** What a tenant accepted, the latest first. */
export async function listAcceptances(database: Database, tenant: string): Promise<Acceptance[]> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns} FROM acceptance WHERE tenant = $1 ORDER BY accepted_at DESC, id`,
    [tenant],
  );
  return rows.map(acceptanceOf);
}

/** Logins that act as a resource of a tenant: accounts of its own, and accounts it accepted. */
export async function loginsActingAs(
  database: Pick<Database, 'query'>,
  tenant: string,
  reference: string,
): Promise<string[]> {
  const { rows } = await database.query<{ login: string }>(
    tenant,
    `SELECT login FROM account WHERE tenant = $1 AND reference = $2
     UNION SELECT login FROM acceptance WHERE tenant = $1 AND reference = $2 AND ended_at IS NULL`,
    [tenant, reference],
  );
  return rows.map(({ login }) => login);
}

/** Says where to look before there is something to find: if we stop in between, the tenant is asked and has nothing. */
export async function announceAcceptance(database: Database, login: string, tenant: string): Promise<void> {
  await database.query(
    platformTenant,
    `INSERT INTO acceptance_directory (tenant, login, accepting_tenant) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [platformTenant, login, tenant],
  );
}

/** @param sql in the scope of the accepting tenant; an acceptance of the login that was open must have been ended. */
export async function insertAcceptance(sql: Sql, acceptance: Acceptance): Promise<void> {
  const { tenant, id, login, homeTenant, reference, roles, establishments, since, until } = acceptance;
  await sql.query(
    `INSERT INTO acceptance (tenant, id, login, home_tenant, reference, roles, establishments, since, until, accepted_by, accepted_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      ...[tenant, id, login, homeTenant, reference, roles, establishments, since, until ?? null],
      ...[acceptance.acceptedBy, acceptance.acceptedAt],
    ],
  );
}

/** Ends the open acceptance of a login; undefined when there was none. @param sql in the scope of `tenant`. */
export async function endAcceptance(
  sql: Sql,
  { tenant, login, by, now }: { tenant: string; login: string; by: string; now: Date },
): Promise<Acceptance | undefined> {
  const { rows } = await sql.query<Row>(
    `UPDATE acceptance SET ended_at = $3, ended_by = $4 WHERE tenant = $1 AND login = $2 AND ended_at IS NULL
     RETURNING ${columns}`,
    [tenant, login, now, by],
  );
  return rows[0] && acceptanceOf(rows[0]);
}
