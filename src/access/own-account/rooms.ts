/** What the pages of one's own account work with, beside what signing in needs. */
import type { Context } from '../../fhir/index.ts';
import type { Account } from '../accounts.ts';
import type { PasswordHasher } from '../passwords.ts';
import type { RelyingParty } from '../second-factor/relying-party.ts';
import type { SignInRooms } from '../sign-in/complete.ts';
import type { SecretSealer } from './password-history.ts';

export interface AccountRooms extends SignInRooms {
  hasher: PasswordHasher;
  /** Undefined: no second factor can be set up. */
  sealer: SecretSealer | undefined;
  /** Undefined: our address cannot hold passkeys. */
  party(): RelyingParty | undefined;
}

/** Who does something to which account, for the trail: oneself, or an administrator. */
export interface Doing {
  context: Context;
  account: Account;
}
