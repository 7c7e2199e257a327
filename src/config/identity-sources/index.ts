/** Where people's identities come from besides our own accounts: one JSON file, named by `IDENTITY_SOURCES` (SE-3). */
import { ConfigError } from '../config-error.ts';
import { fieldsOf } from '../fields.ts';
import { type Environment, jsonFile } from '../variables.ts';
import { type LdapSource, ldapSource } from './ldap.ts';
import { type OpenidSource, openidSource } from './openid.ts';

export type { LdapSource } from './ldap.ts';
export type { ExerciseRule, OpenidSource } from './openid.ts';

export interface IdentitySources {
  ldap: LdapSource[];
  openid: OpenidSource[];
}

/** @throws ConfigError naming the field of the file that cannot be used. */
export function identitySources(env: Environment): IdentitySources {
  const content = jsonFile(env, 'IDENTITY_SOURCES');
  return content === undefined ? { ldap: [], openid: [] } : parseIdentitySources(content, env);
}

/** The same from what the file holds. @throws ConfigError */
function parseIdentitySources(content: unknown, env: Environment): IdentitySources {
  const file = fieldsOf(content, '');
  const sources = {
    ldap: file.objects('ldap').map((source) => ldapSource(source, env)),
    openid: file.objects('openid').map((source) => openidSource(source, env)),
  };
  file.done();
  const names = [...sources.ldap, ...sources.openid].map((source) => source.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new ConfigError(`Deux sources d’identités se nomment « ${twice} » : donnez à chacune son nom.`);
  // A name and its password go to one directory only: the one its ending says.
  const suffixes = sources.ldap.map((source) => source.suffix);
  const shared = suffixes.find((suffix, index) => suffixes.indexOf(suffix) !== index);
  if (shared !== undefined)
    throw new ConfigError(`Deux annuaires ont le suffixe « ${shared} » : donnez à chacun le sien.`);
  return sources;
}
