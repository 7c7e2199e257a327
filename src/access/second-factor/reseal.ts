/** After the master keys turned: what this room keeps sealed in the database is sealed again, so that old keys can be retired (SE-12). */
import type { Database, Sql } from '../../db/index.ts';
import { likenessName, type SecretSealer } from '../own-account/password-history.ts';
import { totpName } from './totp.ts';

/** A sealer that knows which of its keys is the current one. */
export interface TurningSealer extends SecretSealer {
  isStaleText(sealed: string): boolean;
}

/**
 * Secrets of authenticator applications and likenesses of passwords, in every tenant.
 * @returns how many were sealed again.
 * @throws when one does not open: then the key it needs must stay.
 */
export async function resealAccounts(database: Database, sealer: TurningSealer): Promise<number> {
  let resealed = 0;
  for (const tenant of await database.tenants()) {
    resealed += await database.transaction(tenant, async (sql) => {
      const ofApplications = await resealTotp(sql, tenant, sealer);
      return ofApplications + (await resealLikenesses(sql, tenant, sealer));
    });
  }
  return resealed;
}

async function resealTotp(sql: Sql, tenant: string, sealer: TurningSealer): Promise<number> {
  const { rows } = await sql.query<{ login: string; sealed_secret: string }>(
    'SELECT login, sealed_secret FROM totp_factor WHERE tenant = $1 FOR UPDATE',
    [tenant],
  );
  const stale = rows.filter((row) => sealer.isStaleText(row.sealed_secret));
  for (const { login, sealed_secret } of stale) {
    const name = totpName({ tenant, login });
    await sql.query('UPDATE totp_factor SET sealed_secret = $3 WHERE tenant = $1 AND login = $2', [
      tenant,
      login,
      sealer.sealText(name, sealer.openText(name, sealed_secret)),
    ]);
  }
  return stale.length;
}

async function resealLikenesses(sql: Sql, tenant: string, sealer: TurningSealer): Promise<number> {
  const { rows } = await sql.query<{ number: string; login: string; likeness_hash: string }>(
    `SELECT number, login, likeness_hash FROM password_history
     WHERE tenant = $1 AND likeness_hash IS NOT NULL FOR UPDATE`,
    [tenant],
  );
  const stale = rows.filter((row) => sealer.isStaleText(row.likeness_hash));
  for (const { number, login, likeness_hash } of stale) {
    const name = likenessName({ tenant, login });
    await sql.query('UPDATE password_history SET likeness_hash = $3 WHERE tenant = $1 AND number = $2', [
      tenant,
      number,
      sealer.sealText(name, sealer.openText(name, likeness_hash)),
    ]);
  }
  return stale.length;
}
