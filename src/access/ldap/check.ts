/** One question to one server: is this the person's password, and who are they (RFC 4513 §5.1.3)? */
import { randomBytes } from 'node:crypto';
import type { LdapSource } from '../../config/index.ts';
import { type Connection, type Entry, withConnection } from './connection.ts';
import { comparableName } from './distinguished-name.ts';
import { escapeNameValue, fillBindName, fillFilter, isDistinguishedName } from './escape.ts';
import { DirectoryUnavailable } from './open-socket.ts';
import { type DirectoryPerson, groupsOf, personOf, personQuestion } from './person.ts';

export interface Found {
  person: DirectoryPerson;
  /** Comparable names. */
  groups: ReadonlySet<string>;
}

export type Check =
  | ({ status: 'right' } & Found)
  /** Wrong password; also an unknown person where only a bind can tell. */
  | { status: 'wrong' }
  /** The directory has nobody of this name, or (several) nobody one could mean. */
  | { status: 'unknown'; several: boolean };

/** @param login as the directory knows it. @throws DirectoryUnavailable */
export function checkPassword(url: string, source: LdapSource, login: string, password: string): Promise<Check> {
  return source.bind.mode === 'service'
    ? searchThenBind(url, source, login, password)
    : bindThenSearch(url, source, source.bind, login, password);
}

/** People without their passwords, by the service account, on one connection; in the order asked. @throws DirectoryUnavailable */
export function findPeople(url: string, source: LdapSource, logins: readonly string[]): Promise<(Found | undefined)[]> {
  return asService(url, source, async (connection) => {
    const all: (Found | undefined)[] = [];
    for (const login of logins) {
      const [found, another] = await peopleNamed(connection, source, login);
      const person = found && !another ? found : undefined;
      all.push(
        person && { person: person.person, groups: await groupsOf(connection, person.entry, person.person, source) },
      );
    }
    return all;
  });
}

function asService<T>(url: string, source: LdapSource, work: (connection: Connection) => Promise<T>): Promise<T> {
  const { bind } = source;
  return withConnection(url, source, async (connection) => {
    if (bind.mode !== 'service' || !(await connection.bind(bind.dn, bind.password()))) {
      throw new DirectoryUnavailable('the service account was refused');
    }
    return work(connection);
  });
}

function searchThenBind(url: string, source: LdapSource, login: string, password: string): Promise<Check> {
  return asService(url, source, async (service) => {
    const people = await peopleNamed(service, source, login);
    const [found] = people;
    if (!found || people.length > 1) {
      // As many steps as for somebody: how long an answer takes does not tell which names exist.
      await bindElsewhere(
        url,
        source,
        `cn=${escapeNameValue(login)},${source.people.base}`,
        randomBytes(9).toString('hex'),
      );
      return { status: 'unknown', several: people.length > 1 };
    }
    if (!(await bindElsewhere(url, source, found.person.dn, password))) return { status: 'wrong' };
    return {
      status: 'right',
      person: found.person,
      groups: await groupsOf(service, found.entry, found.person, source),
    };
  });
}

/** On a connection of its own: the service's keeps its rights, the person's are used for nothing. */
function bindElsewhere(url: string, source: LdapSource, dn: string, password: string): Promise<boolean> {
  return withConnection(url, source, (connection) => connection.bind(dn, password));
}

function bindThenSearch(
  url: string,
  source: LdapSource,
  { template }: { template: string },
  login: string,
  password: string,
): Promise<Check> {
  return withConnection(url, source, async (connection) => {
    const name = fillBindName(template, login);
    if (!(await connection.bind(name, password))) return { status: 'wrong' };
    const people = await peopleNamed(connection, source, login);
    const [found] = people;
    if (!found || people.length > 1) return { status: 'unknown', several: people.length > 1 };
    // Whose password it was and whom the search found must be one.
    if (isDistinguishedName(template) && comparableName(name) !== comparableName(found.person.dn)) {
      return { status: 'unknown', several: false };
    }
    return {
      status: 'right',
      person: found.person,
      groups: await groupsOf(connection, found.entry, found.person, source),
    };
  });
}

async function peopleNamed(
  connection: Connection,
  source: LdapSource,
  login: string,
): Promise<{ entry: Entry; person: DirectoryPerson }[]> {
  const filter = fillFilter(source.people.filter, { login });
  const entries = await connection.search(source.people.base, personQuestion(source, filter));
  return entries.flatMap((entry) => {
    const person = personOf(entry, source);
    return person ? [{ entry, person }] : [];
  });
}
