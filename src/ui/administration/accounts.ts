/** Accounts as `/oauth2/accounts` tells them, and the words for them. */
import type { Organization } from '@medplum/fhirtypes';
import { ask } from '../session/people-client.ts';

export interface ManagedAccount {
  login: string;
  kind: 'person' | 'machine';
  display: string;
  roles: string[];
  establishments: string[];
  disabled: boolean;
  password: 'none' | 'temporary' | 'own';
  secondFactor: boolean;
  links: { source: string; subject: string; follows: boolean }[];
  lastUse: string | null;
}

export interface Accounts {
  accounts: ManagedAccount[];
  /** Roles a person can have, with their French name. */
  roles: { code: string; title: string }[];
  providers: { name: string; label: string; profile: string }[];
}

export const accountsKey = ['accounts'] as const;

export const readAccounts = (): Promise<Accounts> => ask('GET', 'accounts');

/** Choices of a field: the establishments of the tenant, by name. */
export function establishmentChoices(organizations: readonly Organization[]): { value: string; label: string }[] {
  return organizations
    .map(({ id = '', name }) => ({ value: id, label: name ?? id }))
    .sort((one, other) => one.label.localeCompare(other.label, 'fr'));
}

/** How somebody signs in, in a few words. */
export function meansOf({ kind, password, secondFactor, links }: ManagedAccount): string {
  if (kind === 'machine') return 'clé ou jeton';
  const first = [
    ...(password === 'own' ? ['mot de passe'] : []),
    ...(password === 'temporary' ? ['mot de passe temporaire'] : []),
    ...links.map(({ source }) => (source.startsWith('ldap/') ? 'annuaire' : 'identité professionnelle')),
  ];
  return `${first.join(', ') || 'aucun moyen'}${secondFactor ? ' + second facteur' : ''}`;
}

/** Whether roles and establishments are decided by a directory. */
export function followsDirectory({ links }: ManagedAccount): boolean {
  return links.some((link) => link.follows);
}
