/**
 * Sessions of people and bearer tokens: opaque secrets of 256 random bits behind the name of their tenant, so that the row is looked
 * up inside that tenant's scope. Only the SHA-256 is stored: who reads the database cannot sign in with it.
 */
import { hash, randomBytes } from 'node:crypto';
import type { Database, Sql } from '../db/index.ts';
import type { Actor } from '../fhir/index.ts';
import { credentialName, sessionIdleMs } from './standing.ts';

/** A session ends after a long shift, used or not. */
export const sessionLimitMs = 12 * 3_600_000;
/** How exactly "last used" is kept: a write per request would cost more than it tells. */
const seenResolutionMs = 60_000;

const secretSyntax = /^([a-z][a-z0-9-]{1,30})\.[A-Za-z0-9_-]{43}$/;

export type CredentialKind = 'session' | 'token';

/** Who a credential that is valid now stands for. */
export interface Identified {
  tenant: string;
  actor: Actor;
  /** Its name, which opens nothing (standing.ts). */
  credential: string;
  /** Until when it may be believed without looking again. */
  expiresAt: Date;
}

/** Where and how a session was opened, as its person sees it in the list. */
export interface SessionOrigin {
  /** Address of the browser. */
  network?: string;
  /** `User-Agent`, cut to 200 characters. */
  device?: string;
  /** Proofs given: `password`, `ldap`, `oidc`, `passkey`, `totp`, `recovery-code`. */
  methods?: readonly string[];
}

const longestDevice = 200;

/** The tenant a secret names; undefined when it cannot be one of ours. */
export function tenantOfSecret(secret: string): string | undefined {
  return secretSyntax.exec(secret)?.[1];
}

/** A new secret of this tenant. */
export function newSecret(tenant: string): string {
  return `${tenant}.${randomBytes(32).toString('base64url')}`;
}

export function hashSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/**
 * Stores a new credential and returns its secret, which nobody can read again.
 * @param first what must hold, asked in the same transaction; it throws when it does not.
 */
export async function issueCredential(
  database: Database,
  credential: { tenant: string; login: string; kind: CredentialKind; now: Date; lifetimeMs: number } & SessionOrigin,
  first: (sql: Sql) => Promise<void> = async () => undefined,
): Promise<string> {
  const { tenant, login, kind, now, lifetimeMs, network, device, methods = [] } = credential;
  const secret = newSecret(tenant);
  await database.transaction(tenant, async (sql) => {
    await first(sql);
    await sql.query('DELETE FROM credential WHERE tenant = $1 AND expires_at < $2', [tenant, now]);
    await sql.query(
      `INSERT INTO credential (tenant, secret_hash, kind, login, created_at, seen_at, expires_at, network, device, methods, proven_at)
       VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $5)`,
      [
        tenant,
        hashSecret(secret),
        kind,
        login,
        now,
        new Date(now.getTime() + lifetimeMs),
        network ?? null,
        device?.slice(0, longestDevice) ?? null,
        methods,
      ],
    );
  });
  return secret;
}

/** The account behind a secret of this kind, when both are valid at `now`. */
export async function identify(
  database: Database,
  secret: string,
  kind: CredentialKind,
  now: Date,
): Promise<Identified | undefined> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return undefined;
  const { rows } = await database.query<{
    id: string;
    login: string;
    account_kind: 'person' | 'machine';
    reference: string;
    display: string;
    roles: string[];
    seen_at: Date;
    expires_at: Date;
  }>(
    tenant,
    `SELECT credential.id, account.login, account.kind AS account_kind, reference, display, roles, seen_at, expires_at
     FROM credential JOIN account USING (tenant, login)
     WHERE credential.tenant = $1 AND secret_hash = $2 AND credential.kind = $3 AND expires_at > $4 AND NOT disabled`,
    [tenant, hashSecret(secret), kind, now],
  );
  const row = rows[0];
  if (!row) return undefined;
  const idleMs = now.getTime() - row.seen_at.getTime();
  if (kind === 'session' && idleMs >= sessionIdleMs) return undefined;
  if (idleMs >= seenResolutionMs) {
    await database.query(tenant, 'UPDATE credential SET seen_at = $3 WHERE tenant = $1 AND secret_hash = $2', [
      tenant,
      hashSecret(secret),
      now,
    ]);
  }
  const { login, account_kind, reference, display, roles } = row;
  const actor: Actor = { reference, display, account: login, kind: account_kind, roles };
  return { tenant, actor, credential: credentialName({ tenant, kind, id: row.id }), expiresAt: row.expires_at };
}

/**
 * Ends a credential, and with a session the apps that were let in during it without being told to stay (`offline_access`); ending it twice
 * changes nothing.
 */
export async function revokeCredential(database: Database, secret: string): Promise<void> {
  const tenant = tenantOfSecret(secret);
  if (!tenant) return;
  // A consent knows its session by when it was opened (SMART App Launch 2.2 §Scopes for requesting a refresh token).
  await database.query(
    tenant,
    `WITH ended AS (DELETE FROM credential WHERE tenant = $1 AND secret_hash = $2 RETURNING login, kind, created_at)
     DELETE FROM oauth_grant USING ended
     WHERE oauth_grant.tenant = $1 AND oauth_grant.login = ended.login AND ended.kind = 'session'
       AND authenticated_at = ended.created_at AND NOT 'offline_access' = ANY (scopes)`,
    [tenant, hashSecret(secret)],
  );
}
