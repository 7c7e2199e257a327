/** Identity tokens (OpenID Connect Core §2), with `fhirUser` (SMART App Launch 2.2 §Scopes for requesting identity data). */
import type { Actor } from '../../fhir/index.ts';
import type { Grant } from './grants.ts';
import { type SigningKeys, signingAlgorithm } from './signing-keys.ts';

export interface IdTokenRooms {
  signingKeys: SigningKeys;
  /** Public address, which is the issuer's name. */
  baseUrl: () => string;
}

/** Signed now, good for `seconds`. */
export async function idToken(
  { signingKeys, baseUrl }: IdTokenRooms,
  grant: Grant,
  actor: Actor,
  now: Date,
  seconds: number,
): Promise<string> {
  const { SignJWT, importJWK } = await import('jose');
  const { kid, privateKey } = await signingKeys.current();
  const issuedAt = Math.floor(now.getTime() / 1000);
  const claims = {
    ...(grant.nonce === undefined ? {} : { nonce: grant.nonce }),
    auth_time: Math.floor(grant.authenticatedAt.getTime() / 1000),
    ...(grant.scopes.includes('fhirUser') ? { fhirUser: `${baseUrl()}/fhir/${actor.reference}` } : {}),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: signingAlgorithm, kid, typ: 'JWT' })
    .setIssuer(baseUrl())
    .setSubject(subjectOf(grant))
    .setAudience(grant.clientId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .sign(await importJWK(privateKey, signingAlgorithm));
}

/** Who it is, the same for every app: login names are unique on the platform and never given to another. */
export function subjectOf({ login }: { login: string }): string {
  return login;
}
