/** The kinds of credential a request may present: the list the authenticator goes through (RFC 6750 §2.1, RFC 6265). */
import type { Database } from '../db/index.ts';
import type { FhirGuards } from '../fhir/index.ts';
import { type Identified, identify } from './credentials.ts';
import { readSessionCookie } from './session-cookie.ts';

export type AuthenticatedRequest = Parameters<FhirGuards['authenticate']>[0];

/** One kind of credential. The first in the list that finds its kind in a request decides; nobody else is asked after it. */
export interface CredentialRecogniser {
  /** Short and unique: what was found is believed under this name for a few seconds. */
  name: string;
  /** The browser sends it by itself, so a request that changes something must prove that a page of ours sent it (CSRF). */
  ambient: boolean;
  /**
   * What the request presents of this kind, unverified; undefined when nothing. Everything `identify` depends on is in the string:
   * an identification is believed for five seconds under its hash.
   */
  read(request: AuthenticatedRequest): string | undefined;
  /** Who it stands for; undefined when it is not valid at `now`. */
  identify(presented: string, now: Date): Promise<Identified | undefined>;
}

/** No secret of ours is longer; longer ones are not worth hashing. */
const longestSecret = 128;

/** The token of an `Authorization: Bearer` header. */
export function bearerToken({ headers }: AuthenticatedRequest): string | undefined {
  const { authorization } = headers;
  return typeof authorization === 'string' ? /^Bearer +(\S+)$/i.exec(authorization)?.[1] : undefined;
}

/** Opaque bearer tokens that the operator handed out. */
export function opaqueTokens(database: Database): CredentialRecogniser {
  return {
    name: 'token',
    ambient: false,
    read: bearerToken,
    identify: async (secret, now) =>
      secret.length <= longestSecret ? identify(database, secret, 'token', now) : undefined,
  };
}

/** Sessions of people. A request with an `Authorization` header is never one. */
export function sessionCookies(database: Database, secure: boolean): CredentialRecogniser {
  return {
    name: 'session',
    ambient: true,
    read: ({ headers: { authorization, cookie } }) =>
      authorization === undefined
        ? readSessionCookie(typeof cookie === 'string' ? cookie : undefined, secure)
        : undefined,
    identify: async (secret, now) =>
      secret.length <= longestSecret ? identify(database, secret, 'session', now) : undefined,
  };
}
