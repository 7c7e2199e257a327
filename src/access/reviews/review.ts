/** A review of accounts (SE-7): who has what, who used it, what stands out, and what was decided. */
import type { Database } from '../../db/index.ts';
import { daysBetween, type Period, parisDay } from './period.ts';

/** Not used for so many days, an account is stale. */
const staleAfterDays = 90;

export type Remark = 'never-used' | 'stale' | 'disabled' | 'privileged' | 'technical' | 'without-establishment';

export interface ReviewedAccount {
  login: string;
  display: string;
  kind: 'person' | 'machine';
  roles: readonly string[];
  establishment?: string;
  createdOn: string;
  /** Last day of use at all, and days of use within the period. */
  lastUsed?: string;
  daysUsed: number;
  remarks: readonly Remark[];
  decision?: Decision;
}

export interface Decision {
  decision: 'kept' | 'changed' | 'withdrawn';
  reason: string;
  reviewer: string;
  decidedAt: Date;
}

export interface Review {
  tenant: string;
  period: Period;
  /** The day it was made. */
  on: string;
  accounts: readonly ReviewedAccount[];
}

/** Roles whose holders could do much harm. */
const privilegedRoles = new Set(['administrator', 'support', 'auditor', 'conformance']);

interface Row {
  login: string;
  display: string;
  kind: 'person' | 'machine';
  roles: string[];
  organization_id: string | null;
  disabled: boolean;
  created_at: Date;
  last_used: string | null;
  days_used: number;
  decision: Decision['decision'] | null;
  reason: string | null;
  reviewer: string | null;
  decided_at: Date | null;
}

/** Every account that existed in the period. */
export async function reviewAccounts(database: Database, tenant: string, period: Period, now: Date): Promise<Review> {
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT a.login, a.display, a.kind, a.roles, a.organization_id, a.disabled, a.created_at,
       (SELECT max(day)::text FROM account_use u WHERE u.tenant = $1 AND u.login = a.login) AS last_used,
       (SELECT count(*)::int FROM account_use u
        WHERE u.tenant = $1 AND u.login = a.login AND u.day >= $2::date AND u.day < $3::date) AS days_used,
       r.decision, r.reason, r.reviewer, r.decided_at
     FROM account a LEFT JOIN account_review r
       ON r.tenant = a.tenant AND r.login = a.login AND r.kind = $4 AND r.period = $5
     WHERE a.tenant = $1 AND a.created_at < ($3::date + time '00:00') AT TIME ZONE 'Europe/Paris'
     ORDER BY a.login`,
    [tenant, period.from, period.to, period.kind, period.name],
  );
  const on = parisDay(now);
  return { tenant, period, on, accounts: rows.map((row) => reviewed(row, on)) };
}

function reviewed(row: Row, on: string): ReviewedAccount {
  const createdOn = parisDay(row.created_at);
  return {
    login: row.login,
    display: row.display,
    kind: row.kind,
    roles: row.roles,
    ...(row.organization_id ? { establishment: row.organization_id } : {}),
    createdOn,
    ...(row.last_used ? { lastUsed: row.last_used } : {}),
    daysUsed: row.days_used,
    remarks: remarksOf(row, createdOn, on),
    ...(row.decision
      ? {
          decision: {
            decision: row.decision,
            reason: row.reason ?? '',
            reviewer: row.reviewer!,
            decidedAt: row.decided_at!,
          },
        }
      : {}),
  };
}

function remarksOf(row: Row, createdOn: string, on: string): Remark[] {
  const idleSince = row.last_used ?? createdOn;
  const isIdle = daysBetween(idleSince, on) > staleAfterDays;
  const remarks: [Remark, boolean][] = [
    ['disabled', row.disabled],
    ['never-used', row.last_used === null],
    ['stale', !row.disabled && isIdle],
    ['privileged', row.roles.some((role) => privilegedRoles.has(role))],
    ['technical', row.kind === 'machine'],
    // A machine speaks for one establishment; one that does not reaches the whole structure.
    ['without-establishment', row.kind === 'machine' && row.organization_id === null],
  ];
  return remarks.filter(([, holds]) => holds).map(([remark]) => remark);
}

/**
 * Records what was decided about an account; deciding again replaces the decision.
 * @throws RangeError when there is no such account.
 */
export async function decide(
  database: Database,
  tenant: string,
  period: Period,
  login: string,
  { decision, reason, reviewer, decidedAt }: Decision,
): Promise<void> {
  const { rowCount } = await database.query(
    tenant,
    `INSERT INTO account_review (tenant, kind, period, login, decision, reason, reviewer, decided_at)
     SELECT $1, $2, $3, login, $5, $6, $7, $8 FROM account WHERE tenant = $1 AND login = $4
     ON CONFLICT (tenant, kind, period, login)
     DO UPDATE SET decision = excluded.decision, reason = excluded.reason, reviewer = excluded.reviewer,
       decided_at = excluded.decided_at`,
    [tenant, period.kind, period.name, login, decision, reason, reviewer, decidedAt],
  );
  if (!rowCount) throw new RangeError(`Le groupe ${tenant} n’a pas de compte « ${login} »`);
}

/** Active accounts nobody has decided about; those of demonstrations excepted. */
export async function undecided(database: Database, tenant: string, period: Period): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    tenant,
    `SELECT count(*)::int AS count FROM account a
     WHERE a.tenant = $1 AND NOT a.disabled AND NOT a.demonstration
       AND a.created_at < ($4::date + time '00:00') AT TIME ZONE 'Europe/Paris'
       AND NOT EXISTS (SELECT FROM account_review r
         WHERE r.tenant = a.tenant AND r.login = a.login AND r.kind = $2 AND r.period = $3)`,
    [tenant, period.kind, period.name, period.to],
  );
  return rows[0]!.count;
}
