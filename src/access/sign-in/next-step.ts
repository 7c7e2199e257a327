/** What is still missing between a first proof and a session (SE-2). Pure: the same account, proofs and rules give the same step. */
import type { Account } from '../accounts.ts';

/** Proofs a person can give; the first of a sign-in comes from the upper line. */
export type Proof = 'password' | 'ldap' | 'oidc' | 'passkey' | 'totp' | 'recovery-code';

export type Step =
  /** Prove it by something one has. */
  | 'second-factor'
  /** The role demands a second factor and there is none yet: set one up. */
  | 'enrol'
  /** The password expired or was given by an administrator: choose another. */
  | 'change-password';

/** Validity of a password (SE-2: 90 days). */
export const passwordLifetimeMs = 90 * 24 * 3_600_000;
/** A temporary password that nobody used by then is worth nothing. */
const temporaryPasswordLifetimeMs = 7 * 24 * 3_600_000;

/** Roles that cannot do without, whatever the setting. */
const alwaysStrong: readonly string[] = ['administrator', 'support'];

/** Roles whose people need a second factor beside those who always do; `all`: everybody. */
export type SecondFactorRoles = readonly string[] | 'all';

export interface SignInState {
  account: Pick<Account, 'demonstration' | 'passwordChangedAt' | 'passwordTemporary'>;
  /** One of the roles may not be without a second factor. */
  mustHaveFactor: boolean;
  /** Whether a second factor is set up. */
  hasFactor: boolean;
  proofs: readonly Proof[];
  /** The first proof was two factors by itself: a passkey with user verification, an identity provider that says so. */
  strong: boolean;
}

/** Whether people of these roles need a second factor; roles elsewhere count too (duty.ts). */
export function needsSecondFactor(
  { roles, demonstration }: Pick<Account, 'roles' | 'demonstration'>,
  setting: SecondFactorRoles,
): boolean {
  if (demonstration) return false;
  return setting === 'all' || roles.some((role) => alwaysStrong.includes(role) || setting.includes(role));
}

/**
 * The next step; undefined when the session may open. The second factor comes before a new password: who found an expired password
 * must not choose the next one with it. Who set a factor up is asked for it, also where no rule says so.
 */
export function nextStep(state: SignInState, now: Date): Step | undefined {
  const { account, mustHaveFactor, hasFactor, proofs, strong } = state;
  const isProvedTwice =
    strong || proofs.some((proof) => proof === 'totp' || proof === 'recovery-code') || proofs.length > 1;
  if (!isProvedTwice && hasFactor) return 'second-factor';
  if (!isProvedTwice && mustHaveFactor) return 'enrol';
  if (proofs.includes('password') && mustChangePassword(account, now)) return 'change-password';
  return undefined;
}

function mustChangePassword(account: SignInState['account'], now: Date): boolean {
  if (account.demonstration) return false;
  if (account.passwordTemporary) return true;
  const { passwordChangedAt } = account;
  return passwordChangedAt !== undefined && now.getTime() - passwordChangedAt.getTime() >= passwordLifetimeMs;
}

/** A temporary password that waited too long. */
export function isTemporaryPasswordStale(
  { passwordTemporary, passwordChangedAt }: SignInState['account'],
  now: Date,
): boolean {
  return (
    passwordTemporary &&
    passwordChangedAt !== undefined &&
    now.getTime() - passwordChangedAt.getTime() >= temporaryPasswordLifetimeMs
  );
}
