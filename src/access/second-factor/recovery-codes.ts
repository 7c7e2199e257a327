/**
 * Codes on paper for who lost telephone and key: ten, each good once. They are 120 random bits, so a plain SHA-256 keeps them
 * (below 112 they would need the work of a password hash); no letter or figure among them is taken for another (Crockford's base 32).
 */
import { hash, randomBytes } from 'node:crypto';
import type { Database } from '../../db/index.ts';
import type { FactorOwner } from './rooms.ts';

const codesMade = 10;
const codeCharacters = 24;
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Replaces the codes of an account. @returns them as six groups of four, readable only now. */
export async function makeRecoveryCodes(database: Database, { tenant, login }: FactorOwner): Promise<string[]> {
  const codes = Array.from({ length: codesMade }, newCode);
  await database.transaction(tenant, async (sql) => {
    await sql.query('DELETE FROM recovery_code WHERE tenant = $1 AND login = $2', [tenant, login]);
    await sql.query(
      'INSERT INTO recovery_code (tenant, login, code_hash) SELECT $1, $2, code_hash FROM unnest($3::bytea[]) AS code_hash',
      [tenant, login, codes.map(hashCode)],
    );
  });
  return codes.map((code) => (code.match(/.{4}/g) ?? []).join('-'));
}

/** Takes every code of an account away. */
export async function dropRecoveryCodes(database: Database, { tenant, login }: FactorOwner): Promise<void> {
  await database.query(tenant, 'DELETE FROM recovery_code WHERE tenant = $1 AND login = $2', [tenant, login]);
}

/** Whether the code is one of the account's; it is gone after that. */
export async function useRecoveryCode(
  database: Database,
  { tenant, login }: FactorOwner,
  code: string,
): Promise<boolean> {
  const { rowCount } = await database.query(
    tenant,
    'DELETE FROM recovery_code WHERE tenant = $1 AND login = $2 AND code_hash = $3',
    [tenant, login, hashCode(normalise(code))],
  );
  return rowCount === 1;
}

function newCode(): string {
  // 256 is a multiple of 32: no character comes more often than another.
  return Array.from(randomBytes(codeCharacters), (byte) => alphabet[byte % alphabet.length]).join('');
}

/** As read from paper: any case, any grouping, O for 0, I or L for 1. */
function normalise(code: string): string {
  return code.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

function hashCode(code: string): Buffer {
  return hash('sha256', code, 'buffer');
}
