/** Giving a proof again inside a session: what changes the means of signing in wants one of the last ten minutes. */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { Account } from '../accounts.ts';
import { provenByPasskey } from '../second-factor/passkeys.ts';
import type { SignInOrigin } from '../sign-in/complete.ts';
import { refuseAttempt } from '../sign-in/failure.ts';
import { passkeyRooms } from './factors.ts';
import type { AccountRooms } from './rooms.ts';
import type { OwnSession } from './sessions.ts';

/** How long a proof counts for acts that change the means of signing in. */
const freshProofMs = 10 * 60_000;

export type ProofResult =
  | { status: 'proved' }
  | { status: 'wrong' }
  | { status: 'too-early'; retryAfterSeconds: number };

export function isFresh(session: OwnSession, now: Date): boolean {
  return now.getTime() - session.provenAt.getTime() < freshProofMs;
}

/** The password once more; a guess here counts like one at the door. */
export function provePassword(
  rooms: AccountRooms,
  account: Account,
  origin: SignInOrigin,
  password: string,
): Promise<ProofResult> {
  return counted(rooms, account, origin, 'wrong password inside a session', () =>
    rooms.hasher.verify(account.passwordHash, password),
  );
}

/** A passkey of the account. */
export function provePasskey(
  rooms: AccountRooms,
  account: Account,
  origin: SignInOrigin,
  answer: { ticket: string; response: AuthenticationResponseJSON },
): Promise<ProofResult> {
  return counted(rooms, account, origin, 'wrong passkey inside a session', async () => {
    const { tenant, login } = account;
    return (
      (await provenByPasskey(passkeyRooms(rooms), { tenant, login }, answer, rooms.securityClock.now())) !== undefined
    );
  });
}

async function counted(
  rooms: AccountRooms,
  account: Account,
  origin: SignInOrigin,
  reason: string,
  check: () => Promise<boolean>,
): Promise<ProofResult> {
  const { throttle, securityClock } = rooms;
  const now = securityClock.now();
  const attempt = { login: account.login, network: origin.network };
  const reservation = await throttle.reserve(attempt, now);
  if (reservation.waitMs > 0) return { status: 'too-early', retryAfterSeconds: Math.ceil(reservation.waitMs / 1000) };
  if (!(await check())) {
    await refuseAttempt(rooms, { account, origin, reservation, reason });
    return { status: 'wrong' };
  }
  await throttle.passed(attempt, reservation, now);
  return { status: 'proved' };
}
