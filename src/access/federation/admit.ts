/**
 * From a person an identity source vouches for to an account (SE-2: named, one each; SE-3). The source proves who it is; what they may
 * do comes from the rules of the configuration, or from an administrator. An account that exists is never taken over because a
 * directory happens to know the same name.
 */
import type { Clock } from '../../config/index.ts';
import type { Database, Sql } from '../../db/index.ts';
import { type Context, FhirError, type FhirStore, systemContext } from '../../fhir/index.ts';
import { type Account, type AccountRequest, findAccount } from '../accounts.ts';
import { rolesProblem } from '../administration/rules.ts';
import type { Activity } from '../audit/activity.ts';
import { isRole } from '../policy.ts';
import { establishmentsOf, loginsActingAs, setEstablishments } from '../tenants/index.ts';
import { insertLink, type Link, linkOfSubject, noteSeen, noteWithdrawn, type SourceId } from './links.ts';
import { practitionerFor } from './practitioner.ts';

export interface OutsidePerson {
  source: SourceId;
  tenant: string;
  /** Unchanging id there. */
  subject: string;
  /** Name an account made for them gets. */
  login: string;
  /** Name they sign in with there. */
  sourceLogin?: string;
  family: string;
  given: string;
  /** 11 digits. */
  rpps?: string;
  /** What the rules give. */
  roles: readonly string[];
  establishments: readonly string[];
  /** Whether somebody without an account gets one. */
  mayCreate: boolean;
}

/** Reasons are for the trail: categories, never a name. */
export type Admission =
  | { status: 'admitted'; account: Account }
  | { status: 'refused'; reason: string; account?: Account };

export interface FederationRooms {
  database: Database;
  store: FhirStore;
  /** Clock of resources and of the trail. */
  clock: Clock;
  /** Clock of accounts. */
  securityClock: Clock;
  ensureAccount(request: AccountRequest, also?: (sql: Sql) => Promise<void>): Promise<void>;
  setDisabled(login: string, disabled: boolean): Promise<void>;
  recordActivity(context: Context, activity: Activity): Promise<void>;
}

/** The account this person signs in to, made or brought up to date. */
export async function admit(rooms: FederationRooms, person: OutsidePerson): Promise<Admission> {
  if (person.roles.length > 0 && rolesProblem(person.roles, isRole)) {
    return { status: 'refused', reason: 'the rules give roles that do not go together' };
  }
  const link = await linkOfSubject(rooms.database, person);
  return link ? admitKnown(rooms, person, link) : admitNew(rooms, person);
}

/** Shuts off the account of somebody the source no longer vouches for; it opens again when the source does. */
export async function withdraw(
  rooms: FederationRooms,
  { tenant, link, reason }: { tenant: string; link: Link; reason: string },
): Promise<void> {
  const account = await findAccount(rooms.database, link.login);
  if (!account || account.disabled) return;
  await noteWithdrawn(rooms.database, tenant, link, rooms.securityClock.now());
  await rooms.setDisabled(account.login, true);
  await told(rooms, account, link.source, { change: 'disabled', reason });
}

async function admitKnown(rooms: FederationRooms, person: OutsidePerson, link: Link): Promise<Admission> {
  const { database, securityClock } = rooms;
  const { tenant } = person;
  const account = await findAccount(database, link.login);
  if (!account || account.tenant !== tenant) return { status: 'refused', reason: 'account missing' };
  // An administrator's word outlasts the directory's; what the directory closed, it opens.
  if (account.disabled && !link.withdrawnAt) return { status: 'refused', reason: 'account disabled', account };
  if (link.follows && person.roles.length === 0) {
    await withdraw(rooms, { tenant, link, reason: 'no role' });
    return { status: 'refused', reason: 'no role', account };
  }
  if (account.disabled) {
    await rooms.setDisabled(account.login, false);
    await told(rooms, account, link.source, { change: 'enabled', reason: 'known again' });
  }
  await noteSeen(database, tenant, link, {
    now: securityClock.now(),
    ...(person.sourceLogin ? { sourceLogin: person.sourceLogin } : {}),
  });
  if (link.follows) await follow(rooms, account, person);
  const current = await findAccount(database, account.login);
  return current ? { status: 'admitted', account: current } : { status: 'refused', reason: 'account missing' };
}

/** Roles, establishments and name as the source says; nothing is written when nothing changed. */
async function follow(rooms: FederationRooms, account: Account, person: OutsidePerson): Promise<void> {
  const { tenant, login, reference, roles } = account;
  const before = await establishmentsOf(rooms.database, tenant, login);
  const isSame = (one: readonly string[], other: readonly string[]) =>
    [...one].sort().join() === [...other].sort().join();
  const display = displayOf(person);
  const sameRoles = isSame(roles, person.roles);
  const sameEstablishments = isSame(before, person.establishments);
  if (sameRoles && sameEstablishments && display === account.display) return;
  await rooms.ensureAccount({ tenant, login, kind: 'person', reference, display, roles: person.roles });
  if (!sameEstablishments) {
    await setEstablishments(rooms.database, { tenant, login, establishments: person.establishments });
  }
  await told(rooms, account, person.source, {
    change: 'updated',
    ...(sameRoles ? {} : { 'roles-before': roles.join(' '), 'roles-after': person.roles.join(' ') }),
    ...(sameEstablishments
      ? {}
      : { 'establishments-before': before.join(' '), 'establishments-after': person.establishments.join(' ') }),
  });
}

async function admitNew(rooms: FederationRooms, person: OutsidePerson): Promise<Admission> {
  const { database, store, clock, securityClock } = rooms;
  const { tenant, source, subject, login, roles, establishments } = person;
  if (!person.mayCreate) return { status: 'refused', reason: 'not tied to an account' };
  if (roles.length === 0) return { status: 'refused', reason: 'no role' };
  const taken = await findAccount(database, login);
  const tied = taken && (await linkOfSubject(database, person));
  if (tied) return admitKnown(rooms, person, tied);
  if (taken) return { status: 'refused', reason: 'an account of this name exists', account: taken };
  const context = systemContext(tenant, 'system:identity-source', clock);
  const link: Link = {
    ...{ source, subject, login, follows: true, linkedBy: source, linkedAt: securityClock.now() },
    ...(person.sourceLogin ? { sourceLogin: person.sourceLogin } : {}),
  };
  try {
    const reference = await practitionerFor(store, context, person);
    // Whoever edits the directory of the tenant must not be able to make one person act as another.
    const acting = await loginsActingAs(database, tenant, reference);
    if (acting.some((other) => other !== login)) {
      return { status: 'refused', reason: 'this professional has an account' };
    }
    const request = { tenant, login, kind: 'person' as const, reference, display: displayOf(person), roles };
    await rooms.ensureAccount(request, (sql) => tie(sql, tenant, link));
    await setEstablishments(database, { tenant, login, establishments });
    await told(rooms, { tenant, login, reference }, source, {
      change: 'created',
      'roles-after': roles.join(' '),
      'establishments-after': establishments.join(' '),
    });
  } catch (error) {
    // The name is another tenant's, or not one an account can have; several Practitioners have the RPPS; a first sign-in of the same
    // person came between.
    if (!(error instanceof FhirError && error.status < 500)) throw error;
  }
  const made = await linkOfSubject(database, person);
  return made ? admitKnown(rooms, person, made) : { status: 'refused', reason: 'account cannot be made' };
}

/** @throws FhirError 409 when the account, made in this moment by somebody else, is theirs. */
async function tie(sql: Sql, tenant: string, link: Link): Promise<void> {
  const { rowCount } = await sql.query(
    'SELECT FROM account WHERE tenant = $1 AND login = $2 AND password_hash IS NULL',
    [tenant, link.login],
  );
  if (rowCount !== 1 || !(await insertLink(sql, tenant, link))) {
    throw new FhirError(409, 'conflict', 'The account belongs to somebody else');
  }
}

function displayOf({ given, family }: OutsidePerson): string {
  return [given, family].filter((part) => part !== '').join(' ');
}

async function told(
  rooms: FederationRooms,
  account: Pick<Account, 'tenant' | 'login' | 'reference'>,
  source: SourceId,
  facts: Record<string, string>,
): Promise<void> {
  const { reason, ...details } = facts;
  await rooms.recordActivity(systemContext(account.tenant, 'system:identity-source', rooms.clock), {
    kind: 'account-change',
    objects: [account.reference],
    ...(reason ? { reason } : {}),
    details: { account: account.login, source, ...details },
  });
}
