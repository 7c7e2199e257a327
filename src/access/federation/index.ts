/** People known elsewhere: directories and identity providers, and the accounts they have here (SE-3, docs/access/federation.md). */
import { ConfigError, type IdentitySources } from '../../config/index.ts';
import { isRoleOfPeople } from '../administration/rules.ts';
import { createDirectories, type Directories } from '../ldap/index.ts';
import { isRole } from '../policy.ts';
import type { FederationRooms } from './admit.ts';

export interface Federation {
  readonly sources: IdentitySources;
  readonly rooms: FederationRooms;
  readonly directories: Directories;
}

/** @throws ConfigError when a rule gives what is not a role of people. */
export function createFederation(
  sources: IdentitySources,
  rooms: FederationRooms,
  log?: { warn(object: object, message: string): void; error(object: object, message: string): void },
): Federation {
  for (const source of [...sources.ldap, ...sources.openid]) {
    const wrong = source.rules.flatMap((rule) => rule.roles).find((role) => !isRole(role) || !isRoleOfPeople(role));
    if (wrong !== undefined)
      throw new ConfigError(`IDENTITY_SOURCES : « ${wrong} », dans ${source.name}, n’est pas un rôle de personne.`);
  }
  return { sources, rooms, directories: createDirectories({ sources: sources.ldap, rooms, ...(log ? { log } : {}) }) };
}
