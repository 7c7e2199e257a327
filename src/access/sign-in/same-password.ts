/** A sign-in with a password takes a while, in which the password may be changed: what it opens must not outlive the change. */
import type { Sql } from '../../db/index.ts';
import type { Account } from '../accounts.ts';

/** The password that was verified is not the account's any more, or the account is shut off. */
export class PasswordChanged extends Error {
  override name = 'PasswordChanged';
}

/**
 * Holds the account as it was verified until the end of the transaction: a change waits, and ends what the transaction made.
 * @throws PasswordChanged
 */
export async function holdPassword(sql: Sql, { tenant, login, passwordHash }: Account): Promise<void> {
  const { rowCount } = await sql.query(
    'SELECT FROM account WHERE tenant = $1 AND login = $2 AND password_hash = $3 AND NOT disabled FOR SHARE',
    [tenant, login, passwordHash],
  );
  if (rowCount !== 1) throw new PasswordChanged();
}
