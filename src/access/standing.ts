/**
 * Names of sessions and tokens, and whether they still stand. What is handed out for one and used without it (a token that opens a
 * WebSocket) ends with it, however it ended: signed out, revoked, expired, the account shut off. Asking is not using: a session that only
 * a line keeps asking about ends of idleness all the same.
 */
import type { Database } from '../db/index.ts';

/** A session that nobody uses for this long ends. */
export const sessionIdleMs = 30 * 60_000;

type Kind = 'session' | 'token' | 'oauth';

interface Named {
  tenant: string;
  kind: Kind;
  id: string;
}

/** @param id of the row: of sessions and tokens their id, of access tokens the SHA-256, in hexadecimal digits. Opens nothing. */
export function credentialName({ kind, tenant, id }: Named): string {
  return `${kind}:${tenant}:${id}`;
}

const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const tenantName = '[a-z][a-z0-9-]{1,30}';
const nameSyntax = new RegExp(`^(?:(session|token):(${tenantName}):(${uuid})|(oauth):(${tenantName}):([0-9a-f]{64}))$`);

/** Which of these names stand at `now`. */
export async function standing(database: Database, names: readonly string[], now: Date): Promise<ReadonlySet<string>> {
  const known = names.flatMap((name): Named[] => {
    const [kind, tenant, id] = nameSyntax.exec(name)?.slice(1).filter(Boolean) ?? [];
    return kind && tenant && id ? [{ kind: kind as Kind, tenant, id }] : [];
  });
  const found = await Promise.all(
    [...Map.groupBy(known, ({ tenant }) => tenant)].map(([tenant, group]) => inTenant(database, tenant, group, now)),
  );
  return new Set(found.flat());
}

async function inTenant(database: Database, tenant: string, names: readonly Named[], now: Date): Promise<string[]> {
  const ids = (isOauth: boolean) => names.filter(({ kind }) => (kind === 'oauth') === isOauth).map(({ id }) => id);
  const { rows } = await database.query<{ kind: Kind; id: string }>(
    tenant,
    `SELECT credential.kind, id::text AS id FROM credential JOIN account USING (tenant, login)
     WHERE tenant = $1 AND id = ANY ($2::uuid[]) AND expires_at > $4 AND NOT disabled
       AND (credential.kind <> 'session' OR seen_at > $5)
     UNION ALL
     SELECT 'oauth', encode(secret_hash, 'hex') FROM oauth_token JOIN account USING (tenant, login)
     WHERE tenant = $1 AND secret_hash IN (SELECT decode(digits, 'hex') FROM unnest($3::text[]) AS digits)
       AND expires_at > $4 AND NOT disabled`,
    [tenant, ids(false), ids(true), now, new Date(now.getTime() - sessionIdleMs)],
  );
  return rows.map(({ kind, id }) => credentialName({ tenant, kind, id }));
}
