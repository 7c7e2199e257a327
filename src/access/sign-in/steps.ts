/** The steps between a first proof and the session: a second factor, setting one up, another password. Each takes the pending secret. */
import { type Account, findAccount } from '../accounts.ts';
import type { Factors } from '../second-factor/factors.ts';
import type { Reservation } from '../throttle.ts';
import { completeSignIn, type SignInOrigin, type SignInResult, type SignInRooms, signInContext } from './complete.ts';
import { currentStep } from './current-step.ts';
import { refuseAttempt } from './failure.ts';
import type { Proof, Step } from './next-step.ts';
import { closePending, countWrongCode, type Pending, readPending } from './pending.ts';

/** A sign-in half done, as it stands now: the account may have changed since it began. */
export interface PendingSignIn {
  secret: string;
  pending: Pending;
  account: Account;
  factors: Factors;
  step: Step | undefined;
}

/** Where a step leads: a session or the next step; or nowhere, because the sign-in is over or was never begun. */
export type StepResult = SignInResult | { status: 'over' } | { status: 'wrong-code' };

/** The sign-in behind a pending secret; undefined when it is over, or its account was shut off. */
export async function pendingSignIn(
  rooms: SignInRooms,
  secret: string | undefined,
): Promise<PendingSignIn | undefined> {
  const { database, securityClock } = rooms;
  const now = securityClock.now();
  const pending = secret === undefined ? undefined : await readPending(database, secret, now);
  if (secret === undefined || !pending) return undefined;
  const account = await findAccount(database, pending.login);
  if (!account || account.tenant !== pending.tenant || account.disabled) return undefined;
  return { secret, pending, account, ...(await currentStep(rooms, account, pending, now)) };
}

/**
 * A second factor: counted as failed before it is looked at, like a password.
 * @param check whether the proof is this account's, and new.
 */
export async function proveSecondFactor(
  rooms: SignInRooms,
  secret: string | undefined,
  origin: SignInOrigin,
  { proof, check }: { proof: Proof; check(account: Account, now: Date): Promise<boolean> },
): Promise<StepResult> {
  const { database, throttle, securityClock } = rooms;
  const begun = await pendingSignIn(rooms, secret);
  if (begun?.step !== 'second-factor') return { status: 'over' };
  const { account } = begun;
  const now = securityClock.now();
  const reservation = await throttle.reserve({ login: account.login, network: origin.network }, now);
  if (reservation.waitMs > 0) return { status: 'too-early', retryAfterSeconds: Math.ceil(reservation.waitMs / 1000) };
  if (!(await check(account, now))) {
    const isOver = await countWrongCode(database, begun.secret);
    await refuseAttempt(rooms, { account, origin, reservation, reason: `wrong ${proof}` });
    return { status: isOver ? 'over' : 'wrong-code' };
  }
  if (proof === 'recovery-code') {
    const { reference, login } = account;
    await rooms.trail.accountSecurity(signInContext(rooms, origin, account), {
      kind: 'recovery-code-used',
      account: { reference, login },
      outcome: 'success',
    });
  }
  return goOn(rooms, begun, origin, { proof, reservation });
}

interface StepTaken {
  proof?: Proof;
  reservation?: Reservation;
}

/** Takes the sign-in one step further, or into its session. Of two requests with the same secret one goes on. */
export async function goOn(
  rooms: SignInRooms,
  begun: PendingSignIn,
  origin: SignInOrigin,
  step: StepTaken,
): Promise<StepResult> {
  if (!(await closePending(rooms.database, begun.secret))) return { status: 'over' };
  const { passwordHash } = begun.account;
  return resume(rooms, begun, origin, step, (current) => current.passwordHash === passwordHash);
}

/** The same for who closed it already. */
export async function resume(
  rooms: SignInRooms,
  { pending, account }: PendingSignIn,
  origin: SignInOrigin,
  { proof, reservation }: StepTaken,
  isRight: (current: Account) => boolean = () => true,
): Promise<StepResult> {
  // Read again: the step may have changed the account.
  const current = await findAccount(rooms.database, account.login);
  if (!current || !isRight(current)) return { status: 'over' };
  return completeSignIn(rooms, {
    account: current,
    proofs: proof ? [...pending.proofs, proof] : pending.proofs,
    strong: pending.strong,
    origin,
    ...(reservation ? { reservation } : {}),
  });
}
