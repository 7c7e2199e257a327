/** Who is connected, and the steps until somebody is (docs/access/people.md). */
import type { FhirClient } from '../fhir/client.ts';
import { FhirProblem } from '../fhir/problem.ts';
import { ask } from './people-client.ts';

export interface Session {
  tenant: string;
  account: string;
  display: string;
  /** Literal reference of the person, e.g. `Practitioner/radiologue`. */
  reference: string;
  roles: string[];
  /** Other tenants the person works in, and as whom. */
  tenants?: { tenant: string; reference: string; roles: string[] }[];
}

/** What is missing between the password and the session. */
export type SignInStep = 'second-factor' | 'enrol' | 'change-password';

/** A step as the server describes it. */
export interface PendingSignIn {
  step: SignInStep;
  display: string;
  /** `totp`, `passkey`, `recovery-code`: what can be proved, or set up. */
  means?: string[];
  /** The password was made by an administrator. */
  temporary?: boolean;
  minimumLength?: number;
}

/** What a step answers: the next one, or a session; and codes to keep, when a first factor was set up. */
export interface StepAnswer {
  step?: SignInStep;
  recoveryCodes?: string[];
}

/** The running session, or undefined when nobody is connected. */
export async function currentSession(client: FhirClient, signal?: AbortSignal): Promise<Session | undefined> {
  return client.json<Session>('/oauth2/userinfo', 'application/json', signal).catch((error: unknown) => {
    if (error instanceof FhirProblem && error.status === 401) return undefined;
    throw error;
  });
}

/** The session that was just opened. @throws Error when the browser kept no cookie. */
export async function openedSession(client: FhirClient): Promise<Session> {
  const session = await currentSession(client);
  if (!session) throw new Error('Le navigateur a refusé le témoin de session : autorisez les cookies de ce site.');
  return session;
}

/** @throws PeopleProblem with a French message a person can act on. */
export function login(username: string, password: string): Promise<StepAnswer> {
  return ask('POST', 'login', { username, password });
}

/** The sign-in this browser is in the middle of; undefined when there is none. */
export async function pendingSignIn(): Promise<PendingSignIn | undefined> {
  const pending = await ask<{ step: SignInStep | null } & Omit<PendingSignIn, 'step'>>('GET', 'sign-in');
  return pending.step ? { ...pending, step: pending.step } : undefined;
}

export async function logout(client: FhirClient): Promise<void> {
  await client.post('/oauth2/logout', {});
}

export function hasRole(session: Session, ...roles: string[]): boolean {
  return session.roles.some((role) => roles.includes(role));
}
