/**
 * Consents of people to apps and what comes of them: one code, one chain of refresh tokens (RFC 6749 §4.1, §6; RFC 9700 §2.2.2, §4.14).
 * A code or a refresh token that comes a second time ends everything of its consent.
 */
import { hash, randomUUID } from 'node:crypto';
import type { Database, Sql } from '../../db/index.ts';
import { hashOfSecret, newSecret, tenantOfSecret } from './secrets.ts';
import type { LaunchContext } from './tokens.ts';

/** A code travels through a browser: it is exchanged at once or not at all. */
export const codeLifeMs = 60_000;
/** A consent with `offline_access` ends after this time, used or not; the person is asked again. */
export const offlineLifeMs = 30 * 24 * 3_600_000;
/** Without it one access token comes of a consent, which lives an hour at most. */
const onlineLifeMs = codeLifeMs + 3_600_000;

/** What a person agreed to. */
export interface Consent {
  tenant: string;
  clientId: string;
  login: string;
  scopes: readonly string[];
  launch: LaunchContext;
  redirectUri: string;
  /** PKCE, S256. */
  codeChallenge: string;
  nonce?: string;
  authenticatedAt: Date;
}

export interface Grant extends Consent {
  grantId: string;
}

/** Why a code or a refresh token gives nothing. `reused`: the consent has been ended for it. */
export type Refused = { refused: 'unknown' | 'expired' | 'other client' | 'reused'; tenant?: string; login?: string };

interface Row {
  grant_id: string;
  client_id: string;
  login: string;
  scopes: string[];
  launch: LaunchContext;
  redirect_uri: string;
  code_challenge: string;
  nonce: string | null;
  authenticated_at: Date;
  code_expires_at: Date;
  code_used_at: Date | null;
  expires_at: Date;
}

const columns = `grant_id, client_id, login, scopes, launch, redirect_uri, code_challenge, nonce, authenticated_at,
  code_expires_at, code_used_at, expires_at`;

/** Keeps a consent. @returns its code. */
export async function storeConsent(database: Database, consent: Consent, now: Date): Promise<string> {
  const { tenant, scopes, nonce } = consent;
  const code = newSecret(tenant, 'c');
  const lifeMs = scopes.includes('offline_access') ? offlineLifeMs : onlineLifeMs;
  await database.transaction(tenant, async (sql) => {
    await sql.query('DELETE FROM oauth_grant WHERE tenant = $1 AND expires_at < $2', [tenant, now]);
    await sql.query(
      `INSERT INTO oauth_grant (tenant, grant_id, client_id, login, scopes, launch, redirect_uri, code_hash, code_challenge, nonce,
                                authenticated_at, code_expires_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
      [
        tenant,
        randomUUID(),
        consent.clientId,
        consent.login,
        scopes,
        JSON.stringify(consent.launch),
        consent.redirectUri,
        hashOfSecret(code),
        consent.codeChallenge,
        nonce ?? null,
        consent.authenticatedAt,
        new Date(now.getTime() + codeLifeMs),
        new Date(now.getTime() + lifeMs),
      ],
    );
  });
  return code;
}

/**
 * Uses a code, once; `work` runs in the same transaction, so that what it refuses leaves the code unused.
 * @param proof what the exchange must match: redirect address and PKCE verifier.
 */
export async function redeemCode<T>(
  database: Database,
  presented: { code: string; clientId: string; redirectUri: string; verifier: string },
  now: Date,
  work: (sql: Sql, grant: Grant) => Promise<T>,
): Promise<T | Refused> {
  const { code, clientId, redirectUri, verifier } = presented;
  const tenant = tenantOfSecret(code, 'c');
  if (!tenant) return { refused: 'unknown' };
  return database.transaction(tenant, async (sql): Promise<T | Refused> => {
    const { rows } = await sql.query<Row>(
      `SELECT ${columns} FROM oauth_grant WHERE tenant = $1 AND code_hash = $2 FOR UPDATE`,
      [tenant, hashOfSecret(code)],
    );
    const row = rows[0];
    if (!row) return { refused: 'unknown' };
    const whose = { tenant, login: row.login };
    if (row.client_id !== clientId) return { refused: 'other client', ...whose };
    if (row.code_used_at) {
      await endGrant(sql, tenant, row.grant_id);
      return { refused: 'reused', ...whose };
    }
    if (row.code_expires_at <= now) return { refused: 'expired', ...whose };
    const isSame = row.redirect_uri === redirectUri && row.code_challenge === challengeOf(verifier);
    // One try: whoever has the code without the verifier intercepted it.
    if (!isSame) {
      await endGrant(sql, tenant, row.grant_id);
      return { refused: 'unknown', ...whose };
    }
    await sql.query('UPDATE oauth_grant SET code_used_at = $3 WHERE tenant = $1 AND grant_id = $2', [
      tenant,
      row.grant_id,
      now,
    ]);
    return work(sql, toGrant(tenant, row));
  });
}

/** Uses a refresh token, once; `work` runs in the same transaction and is to make its successor. */
export async function redeemRefreshToken<T>(
  database: Database,
  presented: { token: string; clientId: string },
  now: Date,
  work: (sql: Sql, grant: Grant) => Promise<T>,
): Promise<T | Refused> {
  const { token, clientId } = presented;
  const tenant = tenantOfSecret(token, 'r');
  if (!tenant) return { refused: 'unknown' };
  return database.transaction(tenant, async (sql): Promise<T | Refused> => {
    const { rows } = await sql.query<Row & { used_at: Date | null }>(
      `SELECT ${columns.replaceAll('grant_id', 'g.grant_id')}, used_at
       FROM oauth_refresh r JOIN oauth_grant g ON g.tenant = r.tenant AND g.grant_id = r.grant_id
       WHERE r.tenant = $1 AND secret_hash = $2 FOR UPDATE`,
      [tenant, hashOfSecret(token)],
    );
    const row = rows[0];
    if (!row) return { refused: 'unknown' };
    const whose = { tenant, login: row.login };
    if (row.client_id !== clientId) return { refused: 'other client', ...whose };
    if (row.used_at) {
      await endGrant(sql, tenant, row.grant_id);
      return { refused: 'reused', ...whose };
    }
    if (row.expires_at <= now) return { refused: 'expired', ...whose };
    await sql.query('UPDATE oauth_refresh SET used_at = $3 WHERE tenant = $1 AND secret_hash = $2', [
      tenant,
      hashOfSecret(token),
      now,
    ]);
    return work(sql, toGrant(tenant, row));
  });
}

/** A new refresh token of a consent. */
export async function issueRefreshToken(sql: Sql, { tenant, grantId }: Grant, now: Date): Promise<string> {
  const secret = newSecret(tenant, 'r');
  await sql.query('INSERT INTO oauth_refresh (tenant, secret_hash, grant_id, created_at) VALUES ($1, $2, $3, $4)', [
    tenant,
    hashOfSecret(secret),
    grantId,
    now,
  ]);
  return secret;
}

/** Ends the consent a refresh token of this client belongs to. */
export async function revokeRefreshToken(
  database: Database,
  token: string,
  clientId: string,
): Promise<{ tenant: string; login: string } | undefined> {
  const tenant = tenantOfSecret(token, 'r');
  if (!tenant) return undefined;
  return database.transaction(tenant, async (sql) => {
    const { rows } = await sql.query<{ grant_id: string; login: string }>(
      `SELECT g.grant_id, login FROM oauth_refresh r JOIN oauth_grant g ON g.tenant = r.tenant AND g.grant_id = r.grant_id
       WHERE r.tenant = $1 AND secret_hash = $2 AND client_id = $3`,
      [tenant, hashOfSecret(token), clientId],
    );
    if (!rows[0]) return undefined;
    await endGrant(sql, tenant, rows[0].grant_id);
    return { tenant, login: rows[0].login };
  });
}

/** A refresh token that would still be taken, for introspection. */
export async function findRefreshToken(
  database: Database,
  token: string,
  now: Date,
): Promise<(Grant & { expiresAt: Date }) | undefined> {
  const tenant = tenantOfSecret(token, 'r');
  if (!tenant) return undefined;
  const { rows } = await database.query<Row>(
    tenant,
    `SELECT ${columns.replaceAll('grant_id', 'g.grant_id')}
     FROM oauth_refresh r JOIN oauth_grant g ON g.tenant = r.tenant AND g.grant_id = r.grant_id
     WHERE r.tenant = $1 AND secret_hash = $2 AND used_at IS NULL AND expires_at > $3`,
    [tenant, hashOfSecret(token), now],
  );
  return rows[0] && { ...toGrant(tenant, rows[0]), expiresAt: rows[0].expires_at };
}

/** Tokens of a consent end with it (foreign keys). */
async function endGrant(sql: Sql, tenant: string, grantId: string): Promise<void> {
  await sql.query('DELETE FROM oauth_grant WHERE tenant = $1 AND grant_id = $2', [tenant, grantId]);
}

function challengeOf(verifier: string): string {
  return hash('sha256', verifier, 'base64url');
}

function toGrant(tenant: string, row: Row): Grant {
  return {
    tenant,
    grantId: row.grant_id,
    clientId: row.client_id,
    login: row.login,
    scopes: row.scopes,
    launch: row.launch,
    redirectUri: row.redirect_uri,
    codeChallenge: row.code_challenge,
    ...(row.nonce === null ? {} : { nonce: row.nonce }),
    authenticatedAt: row.authenticated_at,
  };
}
