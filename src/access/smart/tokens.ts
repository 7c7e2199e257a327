/** Access tokens: opaque, short-lived, revocable; limited to a client, its scopes, and where it has one, its certificate. */
import type { Database, Sql } from '../../db/index.ts';
import type { Actor } from '../../fhir/index.ts';
import { type Client, isStill } from './client.ts';
import { invalidClient } from './oauth-error.ts';
import { hashOfSecret, newSecret, tenantOfSecret } from './secrets.ts';

/** What an app works on: ids of resources of the tenant, and what the person wants done. */
export interface LaunchContext {
  patient?: string;
  task?: string;
  intent?: string;
}

/** What an access token is issued for. */
export interface TokenGrant {
  tenant: string;
  clientId: string;
  /** Account in whose name the client acts: its own, or that of the person. */
  login: string;
  scopes: readonly string[];
  launch: LaunchContext;
  /** SHA-256 of the certificate it is bound to. */
  thumbprint?: Buffer;
  /** Consent it comes from. */
  grantId?: string;
}

/** A token that is valid now. */
export interface ActiveToken extends TokenGrant {
  issuedAt: Date;
  expiresAt: Date;
  actor: Actor;
}

/** Rows that expired, removed with each new one. */
const removedAtOnce = 100;

/**
 * Stores a new token of a client and answers it, which nobody can read again.
 * @throws OAuthError invalid_client when the client changed since it proved itself.
 */
export async function issueToken(
  sql: Sql,
  client: Client,
  grant: Omit<TokenGrant, 'clientId'>,
  now: Date,
): Promise<string> {
  const { tenant, login, scopes, launch, thumbprint, grantId } = grant;
  if (!(await isStill(sql, tenant, client))) throw invalidClient('the client was changed meanwhile');
  const secret = newSecret(tenant, 'a');
  await sql.query(
    `DELETE FROM oauth_token WHERE ctid = ANY (ARRAY(
       SELECT ctid FROM oauth_token WHERE tenant = $1 AND expires_at < $2 LIMIT ${removedAtOnce} FOR UPDATE SKIP LOCKED))`,
    [tenant, now],
  );
  await sql.query(
    `INSERT INTO oauth_token (tenant, secret_hash, client_id, login, scopes, launch, thumbprint, grant_id, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      tenant,
      hashOfSecret(secret),
      client.id,
      login,
      scopes,
      JSON.stringify(launch),
      thumbprint ?? null,
      grantId ?? null,
      now,
      new Date(now.getTime() + client.accessSeconds * 1000),
    ],
  );
  return secret;
}

interface Row {
  client_id: string;
  login: string;
  scopes: string[];
  launch: LaunchContext;
  thumbprint: Buffer | null;
  grant_id: string | null;
  created_at: Date;
  expires_at: Date;
  kind: Actor['kind'];
  reference: string;
  display: string;
  roles: string[];
}

/** The token behind a secret; undefined when it is none, expired or revoked, or its account is shut off. */
export async function findToken(database: Database, secret: string, now: Date): Promise<ActiveToken | undefined> {
  const tenant = tenantOfSecret(secret, 'a');
  if (!tenant) return undefined;
  const { rows } = await database.query<Row>(tenant, {
    name: 'oauth_token_find',
    text: `SELECT client_id, login, scopes, launch, thumbprint, grant_id, oauth_token.created_at, expires_at, kind, reference, display, roles
      FROM oauth_token JOIN account USING (tenant, login)
      WHERE oauth_token.tenant = $1 AND secret_hash = $2 AND expires_at > $3 AND NOT disabled`,
    values: [tenant, hashOfSecret(secret), now],
  });
  const row = rows[0];
  if (!row) return undefined;
  const { login, reference, display, kind, roles, scopes, launch } = row;
  return {
    tenant,
    clientId: row.client_id,
    login,
    scopes,
    launch,
    ...(row.thumbprint ? { thumbprint: row.thumbprint } : {}),
    ...(row.grant_id ? { grantId: row.grant_id } : {}),
    issuedAt: row.created_at,
    expiresAt: row.expires_at,
    actor: { reference, display, account: login, kind, roles },
  };
}

/** Ends a token of a client. @returns what it was; undefined when the client has no such token. */
export async function revokeToken(
  database: Database,
  secret: string,
  clientId: string,
): Promise<{ tenant: string; login: string } | undefined> {
  const tenant = tenantOfSecret(secret, 'a');
  if (!tenant) return undefined;
  const { rows } = await database.query<{ login: string }>(
    tenant,
    'DELETE FROM oauth_token WHERE tenant = $1 AND secret_hash = $2 AND client_id = $3 RETURNING login',
    [tenant, hashOfSecret(secret), clientId],
  );
  return rows[0] && { tenant, login: rows[0].login };
}
