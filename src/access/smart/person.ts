/** The person in front of the authorization server's pages: signed in with a session of ours, and nothing that was delegated. */
import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Context, FhirGuards } from '../../fhir/index.ts';
import { FhirError } from '../../fhir/index.ts';
import { readSessionCookie } from '../session-cookie.ts';
import type { OAuthService } from './service.ts';

/** Who is there, and what they see. */
export type Person = Awaited<ReturnType<FhirGuards['authenticate']>>;

/** @returns undefined when nobody is signed in. */
export async function personOf(
  request: FastifyRequest,
  authenticate: FhirGuards['authenticate'],
): Promise<Person | undefined> {
  // An app must not let another app in: tokens count for nothing here.
  if (request.headers.authorization !== undefined) return undefined;
  try {
    // As a reading request: whether a form of ours sent it is proven by its own means (`consentProof`).
    const { headers, ip, id } = request;
    const person = await authenticate({ headers, ip, id, method: 'GET' });
    return person.actor.kind === 'person' && person.actor.scopes === undefined ? person : undefined;
  } catch (error) {
    if (error instanceof FhirError && error.status === 401) return undefined;
    throw error;
  }
}

/** What only a page that was shown in this very session knows about this very request (CSRF). */
export function consentProof(request: FastifyRequest, query: string, secure: boolean): string {
  return hash('sha256', `consent\n${sessionOf(request, secure)}\n${query}`, 'base64url');
}

/** When the session was opened; the present when that is not known any more. */
export async function signedInAt(
  { database, clock, secure }: Pick<OAuthService, 'database' | 'clock' | 'secure'>,
  request: FastifyRequest,
  tenant: string,
): Promise<Date> {
  const { rows } = await database.query<{ created_at: Date }>(
    tenant,
    'SELECT created_at FROM credential WHERE tenant = $1 AND secret_hash = $2',
    [tenant, hash('sha256', sessionOf(request, secure), 'buffer')],
  );
  return rows[0]?.created_at ?? clock.now();
}

function sessionOf({ headers: { cookie } }: FastifyRequest, secure: boolean): string {
  return readSessionCookie(typeof cookie === 'string' ? cookie : undefined, secure) ?? '';
}

/** Circumstances of what the person does here. */
export function contextOf(request: FastifyRequest, person: Person, interaction: string, now: () => Date): Context {
  return { ...person, requestId: request.id, interaction, network: request.ip, now };
}
