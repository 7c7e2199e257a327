/** A new password, chosen by the person or made for them: the rules, the six before, and the end of what the old one opened (SE-2). */
import type { Account } from '../accounts.ts';
import { makePassword, passwordProblems } from '../passwords.ts';
import { closePendingOf } from '../sign-in/pending.ts';
import { rememberPassword, sealedLikeness, wasUsed } from './password-history.ts';
import type { AccountRooms, Doing } from './rooms.ts';
import { endSessions } from './sessions.ts';

const tooLike = 'Le mot de passe doit se distinguer nettement des six derniers utilisés.';
const ofDemonstration = 'Le mot de passe d’un compte de démonstration ne se change pas ici.';

/** What is wrong with a new password of this account, in French; empty when it may be set. */
export async function newPasswordProblems(rooms: AccountRooms, account: Account, password: string): Promise<string[]> {
  if (account.demonstration) return [ofDemonstration];
  const problems = passwordProblems(password, account);
  if (problems.length > 0) return problems;
  return (await wasUsed(rooms, account, password)) ? [tooLike] : [];
}

/**
 * Sets a password that was found good. Whoever changes one may do so because somebody else knows it: every session but the one named
 * ends, and so does every sign-in half done.
 */
export async function setPassword(
  rooms: AccountRooms,
  { context, account }: Doing,
  chosen: { password: string; temporary: boolean; keepSession?: string },
): Promise<void> {
  const { database, hasher, securityClock } = rooms;
  const { tenant, login, reference } = account;
  const passwordHash = await hasher.hash(chosen.password);
  const likeness = await sealedLikeness(rooms, { tenant, login }, chosen.password);
  await database.transaction(tenant, async (sql) => {
    await sql.query(
      `UPDATE account SET password_hash = $3, password_changed_at = $4, password_temporary = $5
       WHERE tenant = $1 AND login = $2`,
      [tenant, login, passwordHash, securityClock.now(), chosen.temporary],
    );
    await rememberPassword(sql, { tenant, login, passwordHash, likeness });
    await endSessions(sql, tenant, login, chosen.keepSession);
    await closePendingOf(sql, tenant, login);
  });
  rooms.forgetCredentials();
  await rooms.trail.accountSecurity(context, {
    kind: chosen.temporary ? 'temporary-password' : 'password-changed',
    account: { reference, login },
    outcome: 'success',
  });
}

/** Sets a password for one sign-in, during which the person chooses their own. @returns it, readable only now. */
export async function setTemporaryPassword(rooms: AccountRooms, doing: Doing): Promise<string> {
  const password = makePassword(doing.account);
  await setPassword(rooms, doing, { password, temporary: true });
  return password;
}
