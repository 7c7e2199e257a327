/** Directories people sign in through by LDAP bind (SE-3). The words of a directory's own documentation name the fields. */
import { ConfigError } from '../config-error.ts';
import type { Fields } from '../fields.ts';
import { type Secret, secret } from '../secret.ts';
import type { Environment } from '../variables.ts';
import { type Grant, grantOf, nameOf, variableOf } from './rules.ts';

export interface LdapSource {
  name: string;
  label: string;
  tenant: string;
  /** Tried in this order; `ldap:` is raised to TLS by StartTLS before anything is said. */
  urls: string[];
  /** PEM file of the authorities that vouch for the servers; undefined: those the system trusts. */
  ca: string | undefined;
  /** False only on a loopback address, for tests. */
  startTls: boolean;
  /** Of each step: connecting, TLS, bind, search. */
  timeoutMs: number;
  /** What the login ends with here and not in the directory: keeps the names of two directories apart. May be empty, once. */
  suffix: string;
  /** Search as the service account, then bind as who was found; or bind at once as `template` says, then search as that person. */
  bind: { mode: 'service'; dn: string; password: Secret } | { mode: 'direct'; template: string };
  people: { base: string; filter: string };
  attributes: {
    /** What never changes for a person, whatever their name becomes: the account is tied to it. */
    subject: string;
    login: string;
    family: string;
    given: string;
    /** Holds the RPPS (11 digits) or the national id (8 and RPPS), where the directory knows it. */
    rpps: string | undefined;
  };
  /** Groups written in the person's own entry, or found by a search. */
  groups: { mode: 'attribute'; attribute: string } | { mode: 'search'; base: string; filter: string };
  rules: LdapRule[];
  /** How often the accounts are compared with the directory; 0: at sign-in only. Needs a service account. */
  refreshMinutes: number;
}

export interface LdapRule extends Grant {
  /** Distinguished name of a group. */
  group: string;
}

/** What differs between the two families of directories. AD: a disabled account is none, and groups within groups count. */
const presets = {
  ldap: {
    filter: '(&(objectClass=inetOrgPerson)(uid={login}))',
    subject: 'entryUUID',
    login: 'uid',
    memberFilter: '(&(objectClass=groupOfNames)(member={dn}))',
  },
  'active-directory': {
    filter:
      '(&(objectCategory=person)(objectClass=user)(sAMAccountName={login})(!(userAccountControl:1.2.840.113556.1.4.803:=2)))',
    subject: 'objectGUID',
    login: 'sAMAccountName',
    memberFilter: '(&(objectClass=group)(member:1.2.840.113556.1.4.1941:={dn}))',
  },
} as const;

/** @throws ConfigError */
export function ldapSource(fields: Fields, env: Environment): LdapSource {
  const name = nameOf(fields);
  const preset = presets[fields.oneOf('kind', ['ldap', 'active-directory'])];
  const startTls = fields.flag('startTls', true);
  const bind = bindOf(fields, env, name);
  const source: LdapSource = {
    name,
    label: fields.text('label', name),
    tenant: fields.text('tenant'),
    urls: urlsOf(fields, startTls),
    ca: fields.optionalText('ca'),
    startTls,
    timeoutMs: fields.wholeNumber('timeoutSeconds', { fallback: 5, from: 1, to: 60 }) * 1000,
    suffix: fields.optionalText('suffix') ?? '',
    bind,
    people: peopleOf(fields, preset.filter),
    attributes: attributesOf(fields, preset),
    groups: groupsOf(fields, preset.memberFilter),
    rules: fields.objects('rules').map(ruleOf),
    refreshMinutes: fields.wholeNumber('refreshMinutes', {
      fallback: bind.mode === 'service' ? 60 : 0,
      from: 0,
      to: 1_440,
    }),
  };
  if (source.rules.length === 0) throw fields.error('rules', 'au moins une règle : personne n’aurait de rôle');
  if (!/^([._@-][a-z0-9][a-z0-9._@-]{0,40})?$/.test(source.suffix)) {
    throw fields.error('suffix', 'une fin en minuscules, comme @chu');
  }
  if (source.refreshMinutes > 0 && bind.mode === 'direct')
    throw fields.error('refreshMinutes', '0 sans compte de service');
  fields.done();
  return source;
}

function urlsOf(fields: Fields, startTls: boolean): string[] {
  const urls = fields.texts('urls');
  if (urls.length === 0) throw fields.error('urls', 'au moins une adresse ldaps:// ou ldap://');
  for (const text of urls) {
    const url = URL.parse(text);
    if (!url || !['ldap:', 'ldaps:'].includes(url.protocol) || !/^\/?$/.test(url.pathname) || url.search) {
      throw fields.error('urls', 'ldaps://hôte[:port] ou ldap://hôte[:port]');
    }
    if (url.protocol === 'ldap:' && !startTls && !['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)) {
      throw fields.error(
        'startTls',
        'true : les mots de passe ne voyagent jamais en clair, sauf vers la machine elle-même',
      );
    }
  }
  return urls;
}

function bindOf(fields: Fields, env: Environment, name: string): LdapSource['bind'] {
  const bind = fields.object('bind');
  if (!bind) throw fields.error('bind', 'un objet avec « account » ou « as »');
  const dn = bind.optionalText('account');
  const template = bind.optionalText('as');
  bind.done();
  if ((dn === undefined) === (template === undefined))
    throw fields.error('bind', '« account » ou « as », pas les deux');
  if (template !== undefined) {
    if (!template.includes('{login}')) throw bind.error('as', 'un modèle avec {login}');
    return { mode: 'direct', template };
  }
  const variable = variableOf('LDAP', name, 'PASSWORD');
  const password = secret(env, variable);
  if (!password)
    throw new ConfigError(`${bind.where}.account demande son mot de passe : donnez ${variable} ou ${variable}_FILE.`);
  return { mode: 'service', dn: dn ?? '', password };
}

function peopleOf(fields: Fields, fallback: string): LdapSource['people'] {
  const people = fields.object('people');
  if (!people) throw fields.error('people', 'un objet avec « base »');
  const found = { base: people.text('base'), filter: people.text('filter', fallback) };
  if (!found.filter.includes('{login}')) throw people.error('filter', 'un filtre avec {login}');
  people.done();
  return found;
}

function attributesOf(fields: Fields, preset: { subject: string; login: string }): LdapSource['attributes'] {
  const names = fields.object('attributes');
  const found = {
    subject: names?.optionalText('subject') ?? preset.subject,
    login: names?.optionalText('login') ?? preset.login,
    family: names?.optionalText('family') ?? 'sn',
    given: names?.optionalText('given') ?? 'givenName',
    rpps: names?.optionalText('rpps'),
  };
  names?.done();
  return found;
}

function groupsOf(fields: Fields, memberFilter: string): LdapSource['groups'] {
  const groups = fields.object('groups');
  const attribute = groups?.optionalText('attribute');
  const base = groups?.optionalText('base');
  if (attribute !== undefined && base !== undefined)
    throw fields.error('groups', '« attribute » ou « base », pas les deux');
  if (!groups || base === undefined) {
    groups?.done();
    return { mode: 'attribute', attribute: attribute ?? 'memberOf' };
  }
  const filter = groups.text('filter', memberFilter);
  if (!/\{(dn|login)\}/.test(filter)) throw groups.error('filter', 'un filtre avec {dn} ou {login}');
  groups.done();
  return { mode: 'search', base, filter };
}

function ruleOf(rule: Fields): LdapRule {
  const found = { group: rule.text('group'), ...grantOf(rule) };
  rule.done();
  return found;
}
