/**
 * "Est différent et se distingue nettement des 6 derniers mots de passe utilisés" (SE-2). Different: compared with the argon2id hashes
 * kept. Clearly so: what obvious variants have in common, their letters without case and accents, is hashed the same way, and that
 * hash sealed by a key outside the database, because letters alone are easier to guess than the password.
 */
import type { Database, Sql } from '../../db/index.ts';
import { fold, type PasswordHasher } from '../passwords.ts';

const remembered = 6;
/** Fewer letters say little about a password made of figures and signs; then all of it counts. */
const fewestLetters = 4;

/** Seals small secrets for the database, each bound to its name (the vault room). */
export interface SecretSealer {
  sealText(name: string, text: string): string;
  /** @throws when it was not sealed under this name by a key still known. */
  openText(name: string, sealed: string): string;
}

interface PasswordOf {
  tenant: string;
  login: string;
}

/** `Hirondelle-47` and `hirondelle_48` are the same to whoever saw one of them. */
function likenessOf(password: string): string {
  const folded = fold(password);
  const letters = folded.replace(/[^\p{L}]/gu, '');
  return letters.length >= fewestLetters ? letters : folded;
}

/** What is kept of a password's likeness; undefined where nothing can be sealed. */
export async function sealedLikeness(
  rooms: { hasher: PasswordHasher; sealer: SecretSealer | undefined },
  { tenant, login }: PasswordOf,
  password: string,
): Promise<string | undefined> {
  const { hasher, sealer } = rooms;
  return sealer?.sealText(likenessName({ tenant, login }), await hasher.hash(likenessOf(password)));
}

/** Adds the password now in use, inside the transaction that sets it; what is older than the sixth is forgotten. */
export async function rememberPassword(
  sql: Sql,
  { tenant, login, passwordHash, likeness }: PasswordOf & { passwordHash: string; likeness: string | undefined },
): Promise<void> {
  await sql.query(
    'INSERT INTO password_history (tenant, login, password_hash, likeness_hash) VALUES ($1, $2, $3, $4)',
    [tenant, login, passwordHash, likeness ?? null],
  );
  await sql.query(
    `DELETE FROM password_history
     WHERE tenant = $1 AND login = $2 AND number NOT IN (
       SELECT number FROM password_history WHERE tenant = $1 AND login = $2 ORDER BY number DESC LIMIT $3)`,
    [tenant, login, remembered],
  );
}

/** Whether a new password is one of the last six or a variant of one. */
export async function wasUsed(
  rooms: { database: Database; hasher: PasswordHasher; sealer: SecretSealer | undefined },
  account: PasswordOf & { passwordHash?: string },
  password: string,
): Promise<boolean> {
  const { database, hasher, sealer } = rooms;
  const { tenant, login, passwordHash } = account;
  const { rows } = await database.query<{ password_hash: string; likeness_hash: string | null }>(
    tenant,
    'SELECT password_hash, likeness_hash FROM password_history WHERE tenant = $1 AND login = $2',
    [tenant, login],
  );
  // The present one is asked too: an account older than the history has it nowhere else.
  const exact = new Set([...rows.map((row) => row.password_hash), ...(passwordHash ? [passwordHash] : [])]);
  for (const stored of exact) if (await hasher.verify(stored, password)) return true;
  const likeness = likenessOf(password);
  for (const { likeness_hash: sealed } of rows) {
    const stored = sealed === null ? undefined : opened(sealer, { tenant, login }, sealed);
    if (stored && (await hasher.verify(stored, likeness))) return true;
  }
  return false;
}

/** A key that is gone costs the comparison with what it sealed, not the change of password. */
function opened(sealer: SecretSealer | undefined, account: PasswordOf, sealed: string): string | undefined {
  try {
    return sealer?.openText(likenessName(account), sealed);
  } catch {
    return undefined;
  }
}

/** What a sealed likeness is bound to. */
export function likenessName({ tenant, login }: PasswordOf): string {
  return `password-likeness/${tenant}/${login}`;
}
