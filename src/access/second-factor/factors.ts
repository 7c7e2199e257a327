/** What an account has beside its password: an authenticator application, passkeys, recovery codes. */
import { type Database, platformTenant, type Sql } from '../../db/index.ts';

export interface Factors {
  /** The confirmed authenticator application. */
  totp?: { createdAt: Date };
  /** Oldest first. */
  passkeys: { id: string; label: string; createdAt: Date; usedAt?: Date }[];
  /** Recovery codes left. */
  recoveryCodes: number;
}

export async function factorsOf(database: Database, tenant: string, login: string): Promise<Factors> {
  return database.transaction(tenant, async (sql) => {
    const totp = await sql.query<{ created_at: Date }>(
      'SELECT created_at FROM totp_factor WHERE tenant = $1 AND login = $2 AND confirmed_at IS NOT NULL',
      [tenant, login],
    );
    const passkeys = await sql.query<{ credential_id: string; label: string; created_at: Date; used_at: Date | null }>(
      'SELECT credential_id, label, created_at, used_at FROM passkey WHERE tenant = $1 AND login = $2 ORDER BY created_at',
      [tenant, login],
    );
    const codes = await sql.query<{ count: number }>(
      'SELECT count(*)::integer AS count FROM recovery_code WHERE tenant = $1 AND login = $2',
      [tenant, login],
    );
    return {
      ...(totp.rows[0] ? { totp: { createdAt: totp.rows[0].created_at } } : {}),
      passkeys: passkeys.rows.map((row) => ({
        id: row.credential_id,
        label: row.label,
        createdAt: row.created_at,
        ...(row.used_at ? { usedAt: row.used_at } : {}),
      })),
      recoveryCodes: codes.rows[0]?.count ?? 0,
    };
  });
}

/** Recovery codes alone are no factor: they stand in for one that was lost. */
export function hasFactor({ totp, passkeys }: Factors): boolean {
  return totp !== undefined || passkeys.length > 0;
}

/** Takes everything off, inside the caller's transaction. @returns whether there was anything. */
export async function removeEveryFactor(sql: Sql, tenant: string, login: string): Promise<boolean> {
  let removed = 0;
  for (const table of ['totp_factor', 'passkey', 'recovery_code']) {
    const { rowCount } = await sql.query(`DELETE FROM ${table} WHERE tenant = $1 AND login = $2`, [tenant, login]);
    removed += rowCount ?? 0;
  }
  return removed > 0;
}

/**
 * Reserves the name of a passkey on the whole platform and says in which tenant it is to be looked for.
 * @returns false when it is taken: an authenticator of one person cannot stand for another (WebAuthn §7.1).
 */
export async function announcePasskey(database: Database, credentialId: string, tenant: string): Promise<boolean> {
  const { rowCount } = await database.query(
    platformTenant,
    `INSERT INTO passkey_directory (tenant, credential_id, account_tenant) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [platformTenant, credentialId, tenant],
  );
  return rowCount === 1;
}
