/** Whose sign-in takes a second factor: a question of all their roles, those they have in tenants that accepted them included. */
import type { Database } from '../../db/index.ts';
import type { Account } from '../accounts.ts';
import { acceptanceAt, acceptingTenants } from '../tenants/acceptance.ts';
import { needsSecondFactor, type SecondFactorRoles } from './next-step.ts';

/** Whether the account may not be without a second factor at `now`. */
export async function mustHaveFactor(
  { database, secondFactorRoles }: { database: Database; secondFactorRoles: SecondFactorRoles },
  account: Account,
  now: Date,
): Promise<boolean> {
  if (needsSecondFactor(account, secondFactorRoles)) return true;
  const tenants = await acceptingTenants(database, account.login);
  const acceptances = await Promise.all(tenants.map((tenant) => acceptanceAt(database, tenant, account.login, now)));
  const roles = acceptances.flatMap((acceptance) => acceptance?.roles ?? []);
  return needsSecondFactor({ roles, demonstration: account.demonstration }, secondFactorRoles);
}
