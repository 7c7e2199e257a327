/** What a group, a claim or a profession is worth here: roles and establishments. Nothing else gives an account rights. */
import type { Fields } from '../fields.ts';

/** What somebody whom the rule is about receives. Rules add up. */
export interface Grant {
  /** Roles of the platform; checked where roles are known. */
  roles: string[];
  /** Ids of the tenant's Organizations; empty: no establishment beyond what the roles themselves say. */
  establishments: string[];
}

/** Names a source by in addresses, tables and the names of its secrets. Never reuse one for another directory or provider. */
const nameSyntax = /^[a-z][a-z0-9-]{0,30}$/;
const resourceId = /^[A-Za-z0-9.-]{1,64}$/;

export function grantOf(rule: Fields): Grant {
  const roles = rule.texts('roles');
  if (roles.length === 0) throw rule.error('roles', 'au moins un rôle');
  const establishments = rule.texts('establishments');
  if (!establishments.every((id) => resourceId.test(id)))
    throw rule.error('establishments', 'des identifiants d’Organization');
  return { roles, establishments };
}

export function nameOf(source: Fields): string {
  const name = source.text('name');
  if (!nameSyntax.test(name)) throw source.error('name', 'des minuscules, chiffres et tirets, 31 au plus');
  return name;
}

/** `LDAP_` + `chu-nord` + `_PASSWORD` → `LDAP_CHU_NORD_PASSWORD`. */
export function variableOf(prefix: string, name: string, suffix: string): string {
  return `${prefix}_${name.toUpperCase().replaceAll('-', '_')}_${suffix}`;
}
