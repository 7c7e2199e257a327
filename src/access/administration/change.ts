/** Making and changing accounts of people; every change is in the trail with what was before and what is after. */
import { FhirError } from '../../fhir/index.ts';
import type { Access } from '../access.ts';
import { type Account, findAccount, normaliseLogin } from '../accounts.ts';
import { forgetWithdrawal, linksOfLogin } from '../federation/links.ts';
import { practitionerFor } from '../federation/practitioner.ts';
import type { Caller } from '../own-account/caller.ts';
import { makePassword } from '../passwords.ts';
import { isRole } from '../policy.ts';
import { establishmentsOf, loginsActingAs, setEstablishments } from '../tenants/index.ts';
import { checkTarget, rolesProblem, told } from './rules.ts';

export interface NewAccount {
  login: string;
  family: string;
  given?: string;
  /** 11 digits. */
  rpps?: string;
  roles: string[];
  /** Ids of Organizations. */
  establishments?: string[];
}

export interface AccountChange {
  display?: string;
  roles?: string[];
  establishments?: string[];
  disabled?: boolean;
}

/** @returns the temporary password, readable only now. @throws FhirError 409, 422. */
export async function createAccount(access: Access, caller: Caller, wanted: NewAccount): Promise<string> {
  const { database, store, ensureAccount } = access.federation.rooms;
  const { tenant } = caller.account;
  const login = normaliseLogin(wanted.login);
  const { family, given = '', rpps, roles, establishments = [] } = wanted;
  const problem = rolesProblem(roles, isRole);
  if (problem) throw told(422, 'invalid', problem);
  await checkEstablishmentsExist(access, tenant, establishments);
  if (await findAccount(database, login)) throw told(409, 'conflict', 'Cet identifiant est déjà pris.');
  const display = [given, family].filter((part) => part !== '').join(' ');
  const reference = await practitionerFor(store, caller.context, { login, family, given, ...(rpps ? { rpps } : {}) });
  if ((await loginsActingAs(database, tenant, reference)).length > 0) {
    throw told(409, 'conflict', 'Ce professionnel a déjà un compte.');
  }
  const password = makePassword({ login, display, roles });
  const request = { tenant, login, kind: 'person' as const, reference, display, roles };
  await ensureAccount({ ...request, password, temporaryPassword: true });
  await setEstablishments(database, { tenant, login, establishments });
  await tellChange(
    access,
    caller,
    { reference, login },
    {
      change: 'created',
      'roles-after': roles.join(' '),
      'establishments-after': establishments.join(' '),
    },
  );
  return password;
}

/** @throws FhirError 403 one's own, 404, 409 the directory decides, 422. */
export async function changeAccount(
  access: Access,
  caller: Caller,
  login: string,
  change: AccountChange,
): Promise<void> {
  const { rooms } = access.federation;
  const { tenant } = caller.account;
  const target = await findAccount(rooms.database, normaliseLogin(login));
  checkTarget(caller.account, target);
  const before = await establishmentsOf(rooms.database, tenant, target.login);
  const { display = target.display, roles = target.roles, establishments, disabled } = change;
  const isRenamed = display !== target.display;
  const changesRoles = change.roles !== undefined && !sameSet(change.roles, target.roles);
  const changesPlaces = establishments !== undefined && !sameSet(establishments, before);
  if (isRenamed || changesRoles || changesPlaces) await checkIsOurs(access, target);
  if (changesRoles) {
    const problem = rolesProblem(roles, isRole);
    if (problem) throw told(422, 'invalid', problem);
  }
  if (changesPlaces) await checkEstablishmentsExist(access, tenant, establishments);
  if (isRenamed || changesRoles) {
    const { kind, reference, demonstration } = target;
    await rooms.ensureAccount({ tenant, login: target.login, kind, reference, display, roles, demonstration });
  }
  if (changesPlaces) await setEstablishments(rooms.database, { tenant, login: target.login, establishments });
  if (disabled !== undefined && disabled !== target.disabled) {
    // What an administrator shuts off, no directory opens again.
    await forgetWithdrawal(rooms.database, tenant, target.login);
    await rooms.setDisabled(target.login, disabled);
  }
  const facts = {
    ...(changesRoles ? { 'roles-before': target.roles.join(' '), 'roles-after': roles.join(' ') } : {}),
    ...(changesPlaces
      ? { 'establishments-before': before.join(' '), 'establishments-after': establishments.join(' ') }
      : {}),
    ...(disabled !== undefined && disabled !== target.disabled ? { state: disabled ? 'disabled' : 'enabled' } : {}),
    ...(isRenamed ? { renamed: 'yes' } : {}),
  };
  if (Object.keys(facts).length > 0) await tellChange(access, caller, target, { change: 'updated', ...facts });
}

/** Roles of machines are given where their keys are, those of people of a directory by its groups. @throws FhirError 409. */
async function checkIsOurs(access: Access, { tenant, login, kind }: Account): Promise<void> {
  if (kind !== 'person') throw told(409, 'conflict', 'Les droits d’une machine se règlent avec sa clé, pas ici.');
  const links = await linksOfLogin(access.federation.rooms.database, tenant, login);
  if (links.some((link) => link.follows)) {
    throw told(409, 'conflict', 'Le nom, les rôles et les établissements de ce compte suivent son annuaire.');
  }
}

/** @throws FhirError 422. */
async function checkEstablishmentsExist(
  access: Access,
  tenant: string,
  establishments: readonly string[],
): Promise<void> {
  for (const id of establishments) {
    try {
      await access.federation.rooms.store.read(tenant, 'Organization', id);
    } catch (error) {
      if (!(error instanceof FhirError && error.status < 500)) throw error;
      throw told(422, 'invalid', `L’établissement « ${id.slice(0, 64)} » n’existe pas.`);
    }
  }
}

/** Tells the trail, before the answer leaves. */
export function tellChange(
  access: Access,
  { context }: Pick<Caller, 'context'>,
  { reference, login }: { reference: string; login: string },
  details: Record<string, string>,
): Promise<void> {
  return access.recordActivity(context, {
    kind: 'account-change',
    objects: [reference],
    details: { account: login, ...details },
  });
}

function sameSet(one: readonly string[], other: readonly string[]): boolean {
  return [...new Set(one)].sort().join() === [...new Set(other)].sort().join();
}
