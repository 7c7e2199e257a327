/** What a sign-in still asks for, by the account and its factors as they are now: asked after every proof, whatever the proof was. */
import type { Database } from '../../db/index.ts';
import type { Account } from '../accounts.ts';
import { type Factors, factorsOf, hasFactor } from '../second-factor/factors.ts';
import { mustHaveFactor } from './duty.ts';
import { nextStep, type Proof, type SecondFactorRoles, type Step } from './next-step.ts';

/** `step` is undefined when nothing is missing for the session. */
export async function currentStep(
  rooms: { database: Database; secondFactorRoles: SecondFactorRoles },
  account: Account,
  { proofs, strong }: { proofs: readonly Proof[]; strong: boolean },
  now: Date,
): Promise<{ factors: Factors; step: Step | undefined }> {
  const factors = await factorsOf(rooms.database, account.tenant, account.login);
  const state = {
    ...{ account, proofs, strong },
    mustHaveFactor: await mustHaveFactor(rooms, account, now),
    hasFactor: hasFactor(factors),
  };
  return { factors, step: nextStep(state, now) };
}
