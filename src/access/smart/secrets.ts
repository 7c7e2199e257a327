/**
 * Secrets the authorization server hands out: 256 random bits behind the name of their tenant, so that they are looked up inside its
 * scope, and a mark of what they are, so that none passes for another. Only their SHA-256 is stored.
 */
import { hash, randomBytes } from 'node:crypto';

/** Access token, code, launch, refresh token. */
export type SecretKind = 'a' | 'c' | 'l' | 'r';

const syntax = /^([a-z][a-z0-9-]{1,30})\.([aclr])\.[A-Za-z0-9_-]{43}$/;

export function newSecret(tenant: string, kind: SecretKind): string {
  return `${tenant}.${kind}.${randomBytes(32).toString('base64url')}`;
}

/** Tenant of a secret of this kind; undefined when it cannot be one. */
export function tenantOfSecret(secret: string, kind: SecretKind): string | undefined {
  const [, tenant, found] = syntax.exec(secret) ?? [];
  return found === kind ? tenant : undefined;
}

export function hashOfSecret(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
