/**
 * A sign-in half done: a secret of its own in a cookie of its own, good for the next step only. It is no credential, so nothing that
 * asks for one can take it for one. It ends after ten minutes, after five wrong codes, and with the step that completes it.
 */
import type { Database, Sql } from '../../db/index.ts';
import { hashSecret, newSecret, tenantOfSecret } from '../credentials.ts';
import type { Proof } from './next-step.ts';

export const pendingLimitMs = 10 * 60_000;
/** The delay per account goes on counting across sign-ins; this ends one. */
const wrongCodesAtMost = 5;

export interface Pending {
  tenant: string;
  login: string;
  proofs: readonly Proof[];
  strong: boolean;
}

/** Stores it and returns its secret. Those of the tenant that ended go on the way. @param first throws when it may not be opened. */
export async function openPending(
  database: Database,
  pending: Pending,
  now: Date,
  first: (sql: Sql) => Promise<void> = async () => undefined,
): Promise<string> {
  const { tenant, login, proofs, strong } = pending;
  const secret = newSecret(tenant);
  await database.transaction(tenant, async (sql) => {
    await first(sql);
    await sql.query('DELETE FROM pending_sign_in WHERE tenant = $1 AND expires_at < $2', [tenant, now]);
    await sql.query(
      `INSERT INTO pending_sign_in (tenant, secret_hash, login, methods, strong, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
      [tenant, hashSecret(secret), login, proofs, strong, new Date(now.getTime() + pendingLimitMs)],
    );
  });
  return secret;
}

/** The sign-in a secret stands for; undefined when there is none (any more). */
export async function readPending(database: Database, secret: string, now: Date): Promise<Pending | undefined> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return undefined;
  const { rows } = await database.query<{ login: string; methods: Proof[]; strong: boolean }>(
    tenant,
    `SELECT login, methods, strong FROM pending_sign_in
     WHERE tenant = $1 AND secret_hash = $2 AND expires_at > $3 AND failures < $4`,
    [tenant, hashSecret(secret), now, wrongCodesAtMost],
  );
  const row = rows[0];
  return row && { tenant, login: row.login, proofs: row.methods, strong: row.strong };
}

/** Counts a wrong code. @returns whether the sign-in is over by it. */
export async function countWrongCode(database: Database, secret: string): Promise<boolean> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return true;
  const { rows } = await database.query<{ failures: number }>(
    tenant,
    'UPDATE pending_sign_in SET failures = failures + 1 WHERE tenant = $1 AND secret_hash = $2 RETURNING failures',
    [tenant, hashSecret(secret)],
  );
  return (rows[0]?.failures ?? wrongCodesAtMost) >= wrongCodesAtMost;
}

/** Takes it away. @returns false when it was gone already: only one of two steps sent at once goes on. */
export async function closePending(database: Database, secret: string): Promise<boolean> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return false;
  const { rowCount } = await database.query(
    tenant,
    'DELETE FROM pending_sign_in WHERE tenant = $1 AND secret_hash = $2',
    [tenant, hashSecret(secret)],
  );
  return rowCount === 1;
}

/** Ends every half-done sign-in of an account, inside the caller's transaction: its password or its factors changed. */
export async function closePendingOf(sql: Sql, tenant: string, login: string): Promise<void> {
  await sql.query('DELETE FROM pending_sign_in WHERE tenant = $1 AND login = $2', [tenant, login]);
}
