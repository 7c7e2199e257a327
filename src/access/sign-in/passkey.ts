/** Signing in by a passkey alone (WebAuthn discoverable credentials): one gesture, two factors, and no name typed. */
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import { findAccount } from '../accounts.ts';
import { type PasskeyRooms, passkeyRequest, provenByPasskey } from '../second-factor/passkeys.ts';
import { completeSignIn, type SignInOrigin, type SignInResult, type SignInRooms } from './complete.ts';
import { refuseAttempt } from './failure.ts';

/** The question to the browser: the same for everybody. */
export function askForPasskey(rooms: SignInRooms, passkeys: PasskeyRooms) {
  return passkeyRequest(passkeys, undefined, rooms.securityClock.now());
}

/**
 * Only the address is slowed down by failures: nobody guesses a signature, and an account that somebody else's guesses have shut stays
 * open to its owner this way.
 */
export async function signInByPasskey(
  rooms: SignInRooms,
  passkeys: PasskeyRooms,
  answer: { ticket: string; response: AuthenticationResponseJSON },
  origin: SignInOrigin,
): Promise<SignInResult> {
  const now = rooms.securityClock.now();
  const reservation = await rooms.throttle.reserve({ network: origin.network }, now);
  if (reservation.waitMs > 0) return { status: 'too-early', retryAfterSeconds: Math.ceil(reservation.waitMs / 1000) };
  const owner = await provenByPasskey(passkeys, undefined, answer, now);
  const account = owner && (await findAccount(rooms.database, owner.login));
  if (!account || account.tenant !== owner.tenant) {
    await refuseAttempt(rooms, { account: undefined, origin, reservation, reason: 'wrong passkey' });
    return { status: 'refused' };
  }
  return completeSignIn(rooms, { account, proofs: ['passkey'], strong: true, origin, reservation });
}
