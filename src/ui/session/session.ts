/** Who is connected: the platform's OAuth endpoints for people (docs/fhir-conventions.md, "Login"). */
import type { FhirClient } from '../fhir/client.ts';
import { FhirProblem } from '../fhir/problem.ts';

export interface Session {
  tenant: string;
  account: string;
  display: string;
  /** Literal reference of the person, e.g. `Practitioner/radiologue`. */
  reference: string;
  roles: string[];
}

/** The running session, or undefined when nobody is connected. */
export async function currentSession(client: FhirClient, signal?: AbortSignal): Promise<Session | undefined> {
  return client.json<Session>('/oauth2/userinfo', 'application/json', signal).catch((error: unknown) => {
    if (error instanceof FhirProblem && error.status === 401) return undefined;
    throw error;
  });
}

/** @throws FhirProblem with a French message a person can act on. */
export async function login(client: FhirClient, username: string, password: string): Promise<Session> {
  await client.post('/oauth2/login', { username, password });
  const session = await currentSession(client);
  if (!session) throw new Error('Le navigateur a refusé le témoin de session : autorisez les cookies de ce site.');
  return session;
}

export async function logout(client: FhirClient): Promise<void> {
  await client.post('/oauth2/logout', {});
}

/** The sentence under the form; never says which of the two was wrong. */
export function loginError(error: unknown): string {
  if (!(error instanceof FhirProblem)) return error instanceof Error ? error.message : 'Connexion impossible.';
  if (error.status === 400 || error.status === 401) return 'Identifiant ou mot de passe incorrect.';
  if (error.status === 429 || error.status === 423)
    return 'Trop d’essais. Patientez quelques minutes avant de recommencer.';
  return error.message;
}

export function hasRole(session: Session, ...roles: string[]): boolean {
  return session.roles.some((role) => roles.includes(role));
}
