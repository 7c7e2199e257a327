/** Signing in with a name and a password: throttle first, then the password, then the trail, then what every sign-in ends with. */
import { type Account, findAccount, normaliseLogin } from '../accounts.ts';
import { maximumPasswordLength, type PasswordHasher } from '../passwords.ts';
import { completeSignIn, type SignInOrigin, type SignInResult, type SignInRooms, signInContext } from './complete.ts';
import { refuseAttempt } from './failure.ts';
import { isTemporaryPasswordStale } from './next-step.ts';

const longestLogin = 64;

export interface SignInAttempt extends SignInOrigin {
  username: string;
  password: string;
}

/**
 * The same work for a name that exists and one that does not, for an account shut off, one whose password expired and one with a
 * second factor: what differs shows only to who knows the password.
 */
export async function signInByPassword(
  rooms: SignInRooms & { hasher: PasswordHasher },
  attempt: SignInAttempt,
): Promise<SignInResult> {
  const { database, hasher, throttle, trail, securityClock } = rooms;
  const login = normaliseLogin(attempt.username).slice(0, longestLogin + 1);
  const password = attempt.password.slice(0, maximumPasswordLength + 1);
  if (hasher.overloaded) return { status: 'too-early', retryAfterSeconds: 1 };
  const account = await findAccount(database, login);
  const now = securityClock.now();
  const reservation = await throttle.reserve({ login, network: attempt.network }, now);
  if (reservation.waitMs > 0) {
    const context = signInContext(rooms, attempt, account);
    await trail.authentication(context, { kind: 'login', outcome: 'refused', reason: 'too many attempts' });
    return { status: 'too-early', retryAfterSeconds: Math.ceil(reservation.waitMs / 1000) };
  }
  const isRight = await hasher.verify(account?.passwordHash, password);
  const reason = account && isRight ? unusable(account, now) : 'wrong name or password';
  if (!account || reason) {
    await refuseAttempt(rooms, { account, origin: attempt, reservation, reason: reason ?? 'wrong name or password' });
    return { status: 'refused' };
  }
  return completeSignIn(rooms, { account, proofs: ['password'], origin: attempt, reservation });
}

/** Why the right password of an account opens nothing; undefined when it does. */
function unusable(account: Account, now: Date): string | undefined {
  if (account.disabled) return 'account disabled';
  if (account.kind !== 'person') return 'wrong name or password';
  return isTemporaryPasswordStale(account, now) ? 'temporary password too old' : undefined;
}
