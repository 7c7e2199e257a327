/** One's own account as the server describes it (docs/access/people.md). */
import { ask } from '../session/people-client.ts';

export interface AccountState {
  /** Null where the password is kept elsewhere. */
  password: { changedAt?: string; expiresAt?: string; minimumLength: number } | null;
  totp: { createdAt: string } | null;
  passkeys: { id: string; label: string; createdAt: string; usedAt?: string }[];
  /** How many are left. */
  recoveryCodes: number;
  secondFactorRequired: boolean;
  /** What can be set up: an application, passkeys of this host. */
  can: { totp: boolean; passkey: string | null };
  /** A proof was given in the last ten minutes: what changes the means of signing in wants one. */
  fresh: boolean;
}

export interface OpenSession {
  id: string;
  createdAt: string;
  seenAt: string;
  expiresAt: string;
  network?: string;
  device?: string;
  methods: string[];
  current: boolean;
}

export function readAccount(): Promise<AccountState> {
  return ask<AccountState>('GET', 'account');
}

export async function readSessions(): Promise<OpenSession[]> {
  return (await ask<{ sessions: OpenSession[] }>('GET', 'account/sessions')).sessions;
}

/** A consent the person gave to an app. */
export interface AuthorizedApplication {
  id: string;
  application: string;
  scopes: string[];
  since: string;
  until: string;
}

export async function readApplications(): Promise<AuthorizedApplication[]> {
  return (await ask<{ applications: AuthorizedApplication[] }>('GET', 'account/applications')).applications;
}

const methodNames: Readonly<Record<string, string>> = {
  password: 'mot de passe',
  ldap: 'annuaire',
  oidc: 'fournisseur d’identité',
  passkey: 'clé d’accès',
  totp: 'application',
  'recovery-code': 'code de secours',
};

/** How a session was opened, for people. */
export function methodsText(methods: readonly string[]): string {
  return methods.map((method) => methodNames[method] ?? method).join(' + ');
}

const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPad/, 'iOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

/** `Firefox sur Windows`, from what the browser called itself; its own words when they are of no known kind. */
export function deviceText(device: string | undefined): string {
  if (device === undefined) return 'poste inconnu';
  const named = (list: readonly (readonly [RegExp, string])[]) => list.find(([pattern]) => pattern.test(device))?.[1];
  const [browser, system] = [named(browsers), named(systems)];
  if (browser && system) return `${browser} sur ${system}`;
  return browser ?? system ?? device.slice(0, 60);
}
