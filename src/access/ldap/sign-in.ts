/** Directories as sign-in sees them: whose name is whose, and what a password at a directory opens here. */
import { type Account, loginSyntax } from '../accounts.ts';
import { admit, type FederationRooms, withdraw } from '../federation/admit.ts';
import { linksOfLogin } from '../federation/links.ts';
import { rppsOf } from '../federation/practitioner.ts';
import type { Found } from './check.ts';
import type { Directory } from './directory.ts';
import { DirectoryUnavailable } from './open-socket.ts';

export type Verdict =
  | { status: 'right'; account: Account }
  /** @property reason category for the trail. */
  | { status: 'refused'; reason: string; account?: Account }
  /** No server of the directory could say. */
  | { status: 'unavailable' };

/** A question put to a directory while a local password is verified beside it. */
export interface Question {
  /** Whether its answer is the one that counts; otherwise it was asked about nobody, so that both cases look alike from outside. */
  isInCharge: boolean;
  /** Never rejects but for our own database. */
  answer: Promise<Verdict>;
}

export interface Attempt {
  /** Normalised. */
  login: string;
  password: string;
  /** The account of that name, if any. */
  account: Account | undefined;
}

/** No person has it: what a directory is asked about when it is not in charge. */
const nobody = 'passerelle-nobody';

/** Whoever signs in by a name that no directory's ending claims is a local matter: undefined. */
export async function askDirectory(
  rooms: FederationRooms,
  directories: readonly Directory[],
  { login, password, account }: Attempt,
): Promise<Question | undefined> {
  if (!loginSyntax.test(login)) return undefined;
  const linked = account && (await directoryOf(rooms, directories, account));
  if (linked) return { isInCharge: true, answer: verdictOf(rooms, linked.directory, linked.name, password, account) };
  const directory = directoryByEnding(directories, login);
  if (!directory) return undefined;
  // An account of our own with a name the directory might know: its password is none of the directory's business.
  if (account) return { isInCharge: false, answer: verdictOf(rooms, directory, nobody, nobody, undefined) };
  return { isInCharge: true, answer: verdictOf(rooms, directory, bareName(directory, login), password, undefined) };
}

/** The account of somebody a directory describes, made or brought up to date. */
export function admitFound(rooms: FederationRooms, directory: Directory, { person, groups }: Found) {
  const { source } = directory;
  const { family, given, subject } = person;
  const rpps = rppsOf(person.rpps);
  return admit(rooms, {
    source: `ldap/${source.name}`,
    tenant: source.tenant,
    login: `${person.login}${source.suffix}`,
    sourceLogin: person.login,
    mayCreate: true,
    ...{ subject, family, given },
    ...(rpps ? { rpps } : {}),
    ...directory.grants(groups),
  });
}

async function verdictOf(
  rooms: FederationRooms,
  directory: Directory,
  name: string,
  password: string,
  account: Account | undefined,
): Promise<Verdict> {
  const known = account ? { account } : {};
  try {
    const check = await directory.check(name, password);
    if (check.status === 'wrong') return { status: 'refused', reason: 'wrong name or password', ...known };
    if (check.status === 'unknown') {
      if (account && !check.several) await forgotten(rooms, directory, account);
      return { status: 'refused', reason: check.several ? 'several of this name' : 'wrong name or password', ...known };
    }
    const admission = await admitFound(rooms, directory, check);
    if (admission.status === 'refused') return { ...known, ...admission };
    // Who typed the name of one account does not get into another.
    if (account && admission.account.login !== account.login) {
      return { status: 'refused', reason: 'the directory means somebody else', account };
    }
    return { status: 'right', account: admission.account };
  } catch (error) {
    if (error instanceof DirectoryUnavailable) return { status: 'unavailable' };
    throw error;
  }
}

/** The directory knew this person once and no longer does. */
async function forgotten(rooms: FederationRooms, { source }: Directory, { tenant, login }: Account): Promise<void> {
  const links = await linksOfLogin(rooms.database, tenant, login);
  const link = links.find((one) => one.source === `ldap/${source.name}`);
  if (link) await withdraw(rooms, { tenant, link, reason: 'unknown to the directory' });
}

async function directoryOf(
  rooms: FederationRooms,
  directories: readonly Directory[],
  { tenant, login }: Account,
): Promise<{ directory: Directory; name: string } | undefined> {
  if (directories.length === 0) return undefined;
  for (const link of await linksOfLogin(rooms.database, tenant, login)) {
    const directory = directories.find(
      ({ source }) => link.source === `ldap/${source.name}` && source.tenant === tenant,
    );
    if (directory) return { directory, name: link.sourceLogin ?? bareName(directory, login) };
  }
  return undefined;
}

/** The longest ending that fits: a name and its password go to one directory only. */
function directoryByEnding(directories: readonly Directory[], login: string): Directory | undefined {
  return directories
    .filter(({ source }) => login.endsWith(source.suffix) && login.length > source.suffix.length)
    .sort((one, other) => other.source.suffix.length - one.source.suffix.length)[0];
}

function bareName({ source }: Directory, login: string): string {
  return login.endsWith(source.suffix) ? login.slice(0, login.length - source.suffix.length) : login;
}
