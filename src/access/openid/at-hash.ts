/** `at_hash` ties the access token to the ID token it came with (OpenID Connect Core §3.1.3.8): optional in the code flow, but right. */
import { createHash } from 'node:crypto';
import { isSameText } from './attempt.ts';

/** @param algorithm `alg` of the ID token's header, which was verified. */
export function isAccessTokenOf(claim: unknown, accessToken: string, algorithm: string): boolean {
  if (claim === undefined) return true;
  const bits = algorithm === 'EdDSA' || algorithm === 'Ed25519' ? '512' : /(256|384|512)$/.exec(algorithm)?.[1];
  if (typeof claim !== 'string' || bits === undefined) return false;
  const hash = createHash(`sha${bits}`).update(accessToken, 'ascii').digest();
  return isSameText(claim, hash.subarray(0, hash.length / 2).toString('base64url'));
}

/** `alg` in the header of a compact JWS. */
export function algorithmOf(token: string): string {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    return String((header as { alg?: unknown } | null)?.alg ?? '');
  } catch {
    return '';
  }
}
