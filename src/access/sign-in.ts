/** Signing in with a name and a password: throttle first, then the password, then the trail, then the session. */
import type { Clock } from '../config/index.ts';
import { type Database, platformTenant } from '../db/index.ts';
import type { Actor, Context } from '../fhir/index.ts';
import { type Account, actorOf, findAccount, normaliseLogin } from './accounts.ts';
import type { AuditTrail } from './audit/trail.ts';
import { issueCredential, sessionLimitMs } from './credentials.ts';
import { maximumPasswordLength, type PasswordHasher } from './passwords.ts';
import type { Throttle } from './throttle.ts';

const longestLogin = 64;

export interface SignInAttempt {
  username: string;
  password: string;
  /** Address of the browser. */
  network: string;
  requestId: string;
}

export type SignInResult =
  | { status: 'signed-in'; secret: string; tenant: string; actor: Actor }
  /** Unknown name, wrong password or account shut off: the caller cannot tell which. */
  | { status: 'refused' }
  | { status: 'too-early'; retryAfterSeconds: number };

export interface SignInRooms {
  database: Database;
  hasher: PasswordHasher;
  throttle: Throttle;
  trail: AuditTrail;
  /** Clock of limits and delays. */
  securityClock: Clock;
  /** Clock of the trail. */
  clock: Clock;
}

const unknownActor: Actor = { reference: '', display: 'identité inconnue', account: '', kind: 'person', roles: [] };

export async function signIn(rooms: SignInRooms, attempt: SignInAttempt): Promise<SignInResult> {
  const { database, hasher, throttle, trail, securityClock } = rooms;
  const login = normaliseLogin(attempt.username).slice(0, longestLogin + 1);
  const password = attempt.password.slice(0, maximumPasswordLength + 1);
  if (hasher.overloaded) return { status: 'too-early', retryAfterSeconds: 1 };
  const account = await findAccount(database, login);
  const now = securityClock.now();
  const waitMs = await throttle.reserve(login, attempt.network, now);
  if (waitMs > 0) {
    await trail.authentication(contextOf(rooms, attempt, account), {
      kind: 'login',
      outcome: 'refused',
      reason: 'too many attempts',
    });
    return { status: 'too-early', retryAfterSeconds: Math.ceil(waitMs / 1000) };
  }
  const isRight = await hasher.verify(account?.passwordHash, password);
  if (!account || !isRight || account.disabled || account.kind !== 'person') {
    const reason = account?.disabled ? 'account disabled' : 'wrong name or password';
    await trail.authentication(contextOf(rooms, attempt, account), { kind: 'login', outcome: 'refused', reason });
    return { status: 'refused' };
  }
  await throttle.succeeded(login, attempt.network, now);
  await trail.authentication(contextOf(rooms, attempt, account), { kind: 'login', outcome: 'success' });
  // A new secret at every sign-in: a session planted before it is worth nothing (session fixation).
  const { tenant } = account;
  const secret = await issueCredential(database, { tenant, login, kind: 'session', now, lifetimeMs: sessionLimitMs });
  return { status: 'signed-in', secret, tenant, actor: actorOf(account) };
}

function contextOf(rooms: SignInRooms, attempt: SignInAttempt, account: Account | undefined): Context {
  return {
    tenant: account?.tenant ?? platformTenant,
    actor: account ? actorOf(account) : unknownActor,
    requestId: attempt.requestId,
    interaction: 'login',
    network: attempt.network,
    now: () => rooms.clock.now(),
  };
}
