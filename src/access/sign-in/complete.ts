/**
 * Where every way of signing in ends (password, LDAP, OpenID Connect, passkey): the rules of the second factor, then the session.
 * Whoever proved an account by a way of their own calls `completeSignIn`, and has the same rules applied.
 */
import type { Clock } from '../../config/index.ts';
import { type Database, platformTenant, type Sql } from '../../db/index.ts';
import type { Actor, Context } from '../../fhir/index.ts';
import { type Account, actorOf } from '../accounts.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { issueCredential, revokeCredential, sessionLimitMs } from '../credentials.ts';
import { endOldestSessions } from '../own-account/sessions.ts';
import type { Reservation, Throttle } from '../throttle.ts';
import { currentStep } from './current-step.ts';
import type { Proof, SecondFactorRoles, Step } from './next-step.ts';
import { openPending } from './pending.ts';
import { holdPassword, PasswordChanged } from './same-password.ts';

/** The browser's side of a sign-in. */
export interface SignInOrigin {
  /** Address of the browser. */
  network: string;
  requestId: string;
  /** `User-Agent`. */
  device?: string;
  /** Secret of the session it had until now. */
  replaces?: string;
}

export type SignInResult =
  | { status: 'signed-in'; secret: string; tenant: string; actor: Actor }
  /** Proved, but something is missing: the secret is good for the next step only. */
  | { status: 'pending'; secret: string; step: Step }
  /** Unknown name, wrong password or account shut off: the caller cannot tell which. */
  | { status: 'refused' }
  | { status: 'too-early'; retryAfterSeconds: number };

/** What signing in needs of the room. */
export interface SignInRooms {
  database: Database;
  throttle: Throttle;
  trail: AuditTrail;
  /** Clock of limits and delays. */
  securityClock: Clock;
  /** Clock of the trail. */
  clock: Clock;
  secondFactorRoles: SecondFactorRoles;
  /** Forgets what was believed about every credential. */
  forgetCredentials(): void;
}

/** An account somebody proved to be. */
export interface Proven {
  account: Account;
  /** In the order given; the first is the way in. */
  proofs: readonly Proof[];
  /**
   * The first proof was two factors by itself: a passkey whose authenticator verified its user, an identity provider that vouches
   * for a strong authentication (`acr` of Pro Santé Connect).
   */
  strong?: boolean;
  origin: SignInOrigin;
  /** The attempt as the throttle counted it, where a guess was possible. */
  reservation?: Reservation;
}

/**
 * Opens the session, or says which step is missing. An account shut off is refused, and so is a password that was changed since it was
 * verified; the trail says so.
 */
export async function completeSignIn(rooms: SignInRooms, proven: Proven): Promise<SignInResult> {
  try {
    return await openOrAsk(rooms, proven);
  } catch (error) {
    if (!(error instanceof PasswordChanged)) throw error;
    const context = signInContext(rooms, proven.origin, proven.account);
    await rooms.trail.authentication(context, {
      kind: 'login',
      outcome: 'refused',
      reason: 'password changed meanwhile',
    });
    return { status: 'refused' };
  }
}

async function openOrAsk(rooms: SignInRooms, proven: Proven): Promise<SignInResult> {
  const { database, throttle, trail, securityClock } = rooms;
  const { account, proofs, strong = false, origin, reservation } = proven;
  const { tenant, login } = account;
  const context = signInContext(rooms, origin, account);
  const now = securityClock.now();
  if (account.disabled || account.kind !== 'person') {
    await trail.authentication(context, { kind: 'login', outcome: 'refused', reason: 'account disabled' });
    return { status: 'refused' };
  }
  const { step } = await currentStep(rooms, account, { proofs, strong }, now);
  const attempt = { login, network: origin.network };
  const first = async (sql: Sql) => (proofs.includes('password') ? holdPassword(sql, account) : undefined);
  if (step) {
    const secret = await openPending(database, { tenant, login, proofs, strong }, now, first);
    if (reservation) await throttle.passed(attempt, reservation, now);
    // Somebody who knows the password and stops here is worth knowing about.
    await trail.accountSecurity(context, {
      kind: 'sign-in-begun',
      account: { reference: account.reference, login },
      outcome: 'success',
      reason: step,
    });
    return { status: 'pending', secret, step };
  }
  // A new secret at every sign-in: a session planted before it is worth nothing (session fixation).
  const session = {
    ...({ tenant, login, kind: 'session', now, lifetimeMs: sessionLimitMs, network: origin.network } as const),
    ...(origin.device ? { device: origin.device } : {}),
    methods: proofs,
  };
  const secret = await issueCredential(database, session, first);
  await throttle.succeeded(attempt, reservation, now);
  await trail.authentication(context, { kind: 'login', outcome: 'success', reason: proofs.join(' ') });
  await endWhatItReplaces(rooms, account, origin, context);
  return { status: 'signed-in', secret, tenant, actor: actorOf(account) };
}

/** The session this browser had before, and those beyond the number one account may have. */
async function endWhatItReplaces(
  { database, trail, forgetCredentials }: SignInRooms,
  { tenant, login, reference }: Account,
  { replaces }: SignInOrigin,
  context: Context,
): Promise<void> {
  if (replaces !== undefined) await revokeCredential(database, replaces);
  const ended = await endOldestSessions(database, { tenant, login });
  if (replaces !== undefined || ended > 0) forgetCredentials();
  if (ended === 0) return;
  await trail.accountSecurity(context, {
    kind: 'session-ended',
    account: { reference, login },
    outcome: 'success',
    reason: `${ended} ended: too many at the same time`,
  });
}

const unknownActor: Actor = { reference: '', display: 'identité inconnue', account: '', kind: 'person', roles: [] };

/** Circumstances of a sign-in for the trail: the account's tenant, or the platform's when nobody knows whose name it was. */
export function signInContext(
  { clock }: Pick<SignInRooms, 'clock'>,
  { network, requestId }: SignInOrigin,
  account: Account | undefined,
): Context {
  return {
    tenant: account?.tenant ?? platformTenant,
    actor: account ? actorOf(account) : unknownActor,
    requestId,
    interaction: 'login',
    network,
    now: () => clock.now(),
  };
}
