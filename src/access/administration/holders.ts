/**
 * Who held an individualised technical account (of a machine, or of maintenance), from when to when and why (SE-14). A line is ended,
 * never rewritten or deleted: the database lets the program do no more.
 */
import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/index.ts';
import { supportRole } from '../maintenance/index.ts';
import { told } from './rules.ts';

export interface Holding {
  id: string;
  login: string;
  /** The person, by name. */
  holder: string;
  /** For whom they work. */
  company: string;
  reason: string;
  /** ISO instants. */
  since: string;
  until: string | null;
  recordedBy: string;
  recordedAt: string;
  endedBy: string | null;
}

export interface TechnicalAccount {
  login: string;
  display: string;
  kind: 'person' | 'machine';
  roles: string[];
  disabled: boolean;
  /** The latest first. */
  holders: Holding[];
}

/** Machines and maintenance accounts of a tenant, with everybody who held them. */
export async function listTechnicalAccounts(database: Database, tenant: string): Promise<TechnicalAccount[]> {
  const { rows } = await database.query<{ account: TechnicalAccount }>(
    tenant,
    `SELECT json_build_object('login', login, 'display', display, 'kind', kind, 'roles', roles, 'disabled', disabled,
       'holders', (
         SELECT coalesce(json_agg(json_build_object(
           'id', id, 'login', h.login, 'holder', holder, 'company', company, 'reason', reason, 'since', since, 'until', until,
           'recordedBy', recorded_by, 'recordedAt', recorded_at, 'endedBy', ended_by) ORDER BY since DESC), '[]')
         FROM technical_holder h WHERE h.tenant = $1 AND h.login = account.login)) AS account
     FROM account WHERE tenant = $1 AND (kind = 'machine' OR $2 = ANY (roles)) ORDER BY login`,
    [tenant, supportRole],
  );
  return rows.map(({ account }) => account);
}

export interface NewHolding {
  login: string;
  holder: string;
  company: string;
  reason: string;
  since: Date;
  until?: Date;
  recordedBy: string;
}

/** One holder at a time: that is what makes the account individual. @throws FhirError 404, 409, 422. */
export async function recordHolding(
  database: Database,
  tenant: string,
  holding: NewHolding,
  now: Date,
): Promise<string> {
  const { login, holder, company, reason, since, until } = holding;
  if (until && until <= since) throw told(422, 'invalid', 'La fin précède le début.');
  const id = randomUUID();
  await database.transaction(tenant, async (sql) => {
    const account = await sql.query<{ technical: boolean }>(
      `SELECT kind = 'machine' OR $3 = ANY (roles) AS technical FROM account WHERE tenant = $1 AND login = $2 FOR UPDATE`,
      [tenant, login, supportRole],
    );
    if (!account.rows[0]?.technical) throw told(404, 'not-found', 'Ce compte technique n’existe pas.');
    const { rowCount } = await sql.query(
      `SELECT FROM technical_holder WHERE tenant = $1 AND login = $2
       AND tstzrange(since, until) && tstzrange($3::timestamptz, $4::timestamptz)`,
      [tenant, login, since, until ?? null],
    );
    if (rowCount)
      throw told(409, 'conflict', 'Ce compte a déjà un détenteur à ces dates : terminez d’abord sa détention.');
    await sql.query(
      `INSERT INTO technical_holder (tenant, id, login, holder, company, reason, since, until, recorded_by, recorded_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [tenant, id, login, holder, company, reason, since, until ?? null, holding.recordedBy, now],
    );
  });
  return id;
}

/** Ends what still runs. @throws FhirError 404 when no such holding runs at that instant. */
export async function endHolding(
  database: Database,
  tenant: string,
  { login, id, endedBy, until }: { login: string; id?: string; endedBy: string; until: Date },
): Promise<void> {
  const { rowCount } = await database.query(
    tenant,
    `UPDATE technical_holder SET until = $4, ended_by = $5
     WHERE tenant = $1 AND login = $2 AND ($3::uuid IS NULL OR id = $3) AND since < $4 AND (until IS NULL OR until > $4)`,
    [tenant, login, id ?? null, until, endedBy],
  );
  if (rowCount !== 1) throw told(404, 'not-found', 'Aucune détention n’est en cours.');
}
