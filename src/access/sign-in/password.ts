/** Signing in with a name and a password: throttle first, then the password, then the trail, then what every sign-in ends with. */
import { FhirError } from '../../fhir/index.ts';
import { type Account, findAccount, normaliseLogin } from '../accounts.ts';
import type { Directories, Verdict } from '../ldap/index.ts';
import { maximumPasswordLength, type PasswordHasher } from '../passwords.ts';
import { completeSignIn, type SignInOrigin, type SignInResult, type SignInRooms, signInContext } from './complete.ts';
import { refuseAttempt } from './failure.ts';
import { isTemporaryPasswordStale } from './next-step.ts';

const longestLogin = 64;

export interface SignInAttempt extends SignInOrigin {
  username: string;
  password: string;
}

export interface PasswordRooms extends SignInRooms {
  hasher: PasswordHasher;
  /** Undefined: every password is a local one. */
  directories: Pick<Directories, 'ask'> | undefined;
}

/**
 * The same work for a name that exists and one that does not, for an account shut off, one whose password expired and one with a
 * second factor: what differs shows only to who knows the password. Where a directory could know the name, it is asked and a hash is
 * verified, whichever of the two counts.
 * @throws FhirError 503 when the attempt was not right and the directory could not be asked.
 */
export async function signInByPassword(rooms: PasswordRooms, attempt: SignInAttempt): Promise<SignInResult> {
  const { database, hasher, throttle, trail, securityClock, directories } = rooms;
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
  const question = await directories?.ask({ login, password, account });
  const isRight = await hasher.verify(question?.isInCharge ? undefined : account?.passwordHash, password);
  const reason = account && isRight ? unusable(account, now) : wrong;
  if (account && !reason) return completeSignIn(rooms, { account, proofs: ['password'], origin: attempt, reservation });
  const verdict = await question?.answer;
  if (question?.isInCharge && verdict?.status === 'right') {
    return completeSignIn(rooms, { account: verdict.account, proofs: ['ldap'], origin: attempt, reservation });
  }
  await refuseAttempt(rooms, {
    account,
    origin: attempt,
    reservation,
    reason: (question?.isInCharge ? reasonOf(verdict) : reason) ?? wrong,
  });
  if (verdict?.status === 'unavailable') throw directoryUnavailable();
  return { status: 'refused' };
}

const wrong = 'wrong name or password';

function reasonOf(verdict: Verdict | undefined): string | undefined {
  return verdict?.status === 'refused' ? verdict.reason : 'directory unavailable';
}

function directoryUnavailable(): FhirError {
  const text = 'L’annuaire de votre établissement ne répond pas : réessayez dans un instant.';
  const diagnostics = 'No server of the directory answers';
  return FhirError.of(503, [{ severity: 'error', code: 'transient', diagnostics, details: { text } }]);
}

/** Why the right password of an account opens nothing; undefined when it does. */
function unusable(account: Account, now: Date): string | undefined {
  if (account.disabled) return 'account disabled';
  if (account.kind !== 'person') return 'wrong name or password';
  return isTemporaryPasswordStale(account, now) ? 'temporary password too old' : undefined;
}
