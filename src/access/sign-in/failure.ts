/** A proof that was wrong: in the trail, with the lock-out it brought when it brought one (SE-2, SE-10). */
import type { Account } from '../accounts.ts';
import type { Reservation } from '../throttle.ts';
import { type SignInOrigin, type SignInRooms, signInContext } from './complete.ts';

/** @param failed what was tried; `reason` is a category, never anything typed. */
export async function refuseAttempt(
  rooms: Pick<SignInRooms, 'trail' | 'clock'>,
  failed: { account: Account | undefined; origin: SignInOrigin; reservation: Reservation; reason: string },
): Promise<void> {
  const { account, origin, reservation, reason } = failed;
  const context = signInContext(rooms, origin, account);
  await rooms.trail.authentication(context, { kind: 'login', outcome: 'refused', reason });
  for (const kind of reservation.locks) {
    await rooms.trail.accountSecurity(context, {
      kind: 'locked-out',
      account: { reference: account?.reference ?? '', login: account?.login ?? '' },
      outcome: 'refused',
      reason: kind === 'account' ? 'too many failures of one account' : 'too many failures from one address',
    });
  }
}
