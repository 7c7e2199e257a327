/** Tokens of `$get-ws-binding-token`: opaque secrets behind the name of their tenant; only their SHA-256 is stored. */
import { hash, randomBytes } from 'node:crypto';
import type { Database, Sql } from '../../db/index.ts';

/** A client renews its token before this is over, or its connection ends. */
const lifetimeMs = 3_600_000;
const syntax = /^([a-z][a-z0-9-]{1,30})\.[A-Za-z0-9_-]{43}$/;

export interface BindingToken {
  tenant: string;
  account: string;
  /** What it was asked for with, and ends with. */
  credential: string;
  subscriptions: readonly string[];
  expiresAt: Date;
}

export async function issueToken(
  sql: Sql,
  given: Omit<BindingToken, 'expiresAt'> & { now: Date },
): Promise<{ token: string; expiresAt: Date }> {
  const { tenant, account, credential, subscriptions, now } = given;
  const token = `${tenant}.${randomBytes(32).toString('base64url')}`;
  const expiresAt = new Date(now.getTime() + lifetimeMs);
  await sql.query('DELETE FROM subscription_token WHERE tenant = $1 AND expires_at <= $2', [tenant, now]);
  await sql.query(
    `INSERT INTO subscription_token (tenant, token_hash, account, credential, subscriptions, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [tenant, hash('sha256', token, 'buffer'), account, credential, subscriptions, expiresAt],
  );
  return { token, expiresAt };
}

/** What a token is good for; undefined when it is none of ours or its time is over. */
export async function readToken(database: Database, token: string, now: Date): Promise<BindingToken | undefined> {
  const tenant = syntax.exec(token)?.[1];
  if (!tenant) return undefined;
  const { rows } = await database.query<Omit<BindingToken, 'tenant'>>(
    tenant,
    `SELECT account, credential, subscriptions, expires_at AS "expiresAt" FROM subscription_token
     WHERE tenant = $1 AND token_hash = $2 AND expires_at > $3`,
    [tenant, hash('sha256', token, 'buffer'), now],
  );
  return rows[0] && { tenant, ...rows[0] };
}
