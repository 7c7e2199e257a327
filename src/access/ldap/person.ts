/** A person as a directory describes them, out of its entry. */
import type { LdapSource } from '../../config/index.ts';
import type { Connection, Entry } from './connection.ts';
import { comparableName } from './distinguished-name.ts';
import { fillFilter } from './escape.ts';

/** Who was found, before anything is decided about them. */
export interface DirectoryPerson {
  dn: string;
  /** The directory's own unchanging id, in text. */
  subject: string;
  /** Canonical login of the directory, in lower case, without our suffix. */
  login: string;
  family: string;
  given: string;
  /** As written there. */
  rpps: string | undefined;
}

/** More groups than this are cut: no rule file is that long. */
const groupsAtMost = 1_000;
const longestName = 100;
/** These are bytes, not text: Active Directory's object id above all. */
const binaryAttributes = ['objectGUID', 'objectSid'];

/** What a search for a person has to bring. */
export function personQuestion({ attributes, groups }: LdapSource, filter: string) {
  const names = [attributes.subject, attributes.login, attributes.family, attributes.given, attributes.rpps];
  return {
    filter,
    attributes: [
      ...names.filter((name) => name !== undefined),
      'cn',
      ...(groups.mode === 'attribute' ? [groups.attribute] : []),
    ],
    binary: binaryAttributes,
    // One is who was meant; a second one makes it nobody.
    atMost: 2,
  };
}

/** Undefined when the entry lacks what an account is tied to. */
export function personOf(entry: Entry, { attributes }: LdapSource): DirectoryPerson | undefined {
  const subject = firstOf(entry, attributes.subject);
  const login = textOf(firstOf(entry, attributes.login)).normalize('NFKC').trim().toLowerCase();
  if (subject === undefined || textOf(subject) === '' || login === '') return undefined;
  const rpps = attributes.rpps === undefined ? '' : textOf(firstOf(entry, attributes.rpps));
  return {
    dn: entry.dn,
    subject: textOf(subject),
    login,
    family: (textOf(firstOf(entry, attributes.family)) || textOf(firstOf(entry, 'cn')) || login).slice(0, longestName),
    given: textOf(firstOf(entry, attributes.given)).slice(0, longestName),
    rpps: rpps === '' ? undefined : rpps,
  };
}

/** Comparable names of the groups somebody is in. */
export async function groupsOf(
  connection: Connection,
  entry: Entry,
  person: DirectoryPerson,
  source: LdapSource,
): Promise<Set<string>> {
  const { groups } = source;
  if (groups.mode === 'attribute') {
    const names = entry.attributes.get(groups.attribute.toLowerCase()) ?? [];
    return new Set(names.slice(0, groupsAtMost).map((name) => comparableName(textOf(name))));
  }
  const found = await connection.search(groups.base, {
    filter: fillFilter(groups.filter, { dn: person.dn, login: person.login }),
    attributes: ['cn'],
    atMost: groupsAtMost,
  });
  return new Set(found.map(({ dn }) => comparableName(dn)));
}

function firstOf(entry: Entry, name: string): string | Buffer | undefined {
  return entry.attributes.get(name.toLowerCase())?.[0];
}

/** Bytes become hexadecimal digits: the same for every server, and comparable. */
function textOf(value: string | Buffer | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value.trim() : value.toString('hex');
}
