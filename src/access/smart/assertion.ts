/**
 * A client proves who it is with a signed assertion (`private_key_jwt`: RFC 7523 §3, SMART App Launch 2.2 §Authenticating to the token
 * endpoint). Which keys verify it is decided by the registry alone: `jku`, `jwk`, `x5u` and `x5c` in its header are never looked at.
 */
import type { JWK, JWTPayload } from 'jose';
import { invalidClient } from './oauth-error.ts';

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** SMART asks for RS384 and ES384. Nothing symmetric: whoever knows a public key could sign with it as if it were a secret. */
export const assertionAlgorithms = ['RS384', 'ES384', 'PS384', 'PS256', 'ES256'] as const;

/** A signed assertion is a few hundred bytes. */
const longestAssertion = 8_192;
/** Strictly: decoders pass over blanks, and two spellings of one token are one too many. */
const compactSyntax = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const longestLifeSeconds = 300;
/** Clocks of machines differ a little. */
const skewSeconds = 10;
const longestJti = 256;

/** An assertion that was verified. */
export interface Assertion {
  clientId: string;
  jti: string;
  /** Until then its `jti` must not come again. */
  expiresAt: Date;
}

/** Who an assertion says it is from and how it is signed; nothing of it is believed yet. @throws OAuthError invalid_client. */
export async function readUnverified(token: string): Promise<{ clientId: string; kid: string; algorithm: string }> {
  if (token.length > longestAssertion) throw invalidClient('the assertion is too long');
  if (!compactSyntax.test(token)) throw invalidClient('the assertion is no signed JWT');
  const { decodeJwt, decodeProtectedHeader } = await import('jose');
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    const { sub } = decodeJwt(token);
    const algorithm = assertionAlgorithms.find((known) => known === alg);
    if (!algorithm) throw invalidClient('the assertion is signed by an algorithm that is not accepted');
    if (typeof kid !== 'string' || kid === '') throw invalidClient('the assertion names no key');
    if (typeof sub !== 'string' || sub === '') throw invalidClient('the assertion has no subject');
    return { clientId: sub, kid, algorithm };
  } catch (error) {
    if ((error as Error).name === 'OAuthError') throw error;
    throw invalidClient('the assertion is no signed JWT');
  }
}

/**
 * Verifies signature and claims.
 * @param audience address of the token endpoint, exactly as it is published.
 * @throws OAuthError invalid_client.
 */
export async function verifyAssertion(
  token: string,
  expected: { clientId: string; key: JWK; algorithm: string; audience: string; now: Date },
): Promise<Assertion> {
  const { clientId, key, algorithm, audience, now } = expected;
  const { importJWK, jwtVerify } = await import('jose');
  let payload: JWTPayload;
  try {
    ({ payload } = await jwtVerify(token, await importJWK(key, algorithm), {
      algorithms: [algorithm],
      issuer: clientId,
      subject: clientId,
      currentDate: now,
      clockTolerance: skewSeconds,
    }));
  } catch (error) {
    throw invalidClient(`the assertion was not accepted (${(error as { code?: string }).code ?? 'unreadable'})`);
  }
  const { aud, exp, iat, jti } = payload;
  const nowSeconds = now.getTime() / 1000;
  // One audience and no other: an assertion meant for several servers could be passed on by any of them.
  if (aud !== audience && !(Array.isArray(aud) && aud.length === 1 && aud[0] === audience)) {
    throw invalidClient('the assertion is meant for another audience');
  }
  if (exp === undefined) throw invalidClient('the assertion never expires');
  if (exp > nowSeconds + longestLifeSeconds + skewSeconds) throw invalidClient('the assertion lives too long');
  if (iat !== undefined && iat > nowSeconds + skewSeconds) throw invalidClient('the assertion is from the future');
  if (typeof jti !== 'string' || jti === '' || jti.length > longestJti) throw invalidClient('the assertion has no jti');
  return { clientId, jti, expiresAt: new Date((exp + skewSeconds) * 1000) };
}
