/**
 * What binds a sign-in at a provider to the browser that began it. The browser keeps one random secret in a cookie; `state`, `nonce`
 * and the PKCE verifier are made from it, so that none of them is stored here and an answer meant for another browser fits nothing
 * (RFC 9700 §2.1, OpenID Connect Core §3.1.2.1).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Long enough to look for one's card reader. */
export const attemptLimitMs = 10 * 60_000;
/** No cookie of ours is longer. */
const longestCookie = 1_200;

export interface Attempt {
  /** 256 random bits, base64url. */
  secret: string;
  /** Name of the source it was begun at. */
  source: string;
  /** Where to go afterwards, a path of ours. */
  returnTo: string;
  startedAt: Date;
}

export function beginAttempt(source: string, returnTo: string | undefined, now: Date): Attempt {
  return {
    secret: randomBytes(32).toString('base64url'),
    source,
    returnTo: returnTo !== undefined && isOwnPath(returnTo) ? returnTo : '/',
    startedAt: now,
  };
}

/** Value of the cookie. */
export function sealAttempt({ secret, source, returnTo, startedAt }: Attempt): string {
  return Buffer.from(JSON.stringify([secret, source, returnTo, startedAt.getTime()])).toString('base64url');
}

/** The attempt a cookie holds; undefined when it is none of ours, of another source, or too old. */
export function openAttempt(cookie: string | undefined, source: string, now: Date): Attempt | undefined {
  if (cookie === undefined || cookie.length > longestCookie) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cookie, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(content)) return undefined;
  const [secret, begunAt, returnTo, startedAt]: unknown[] = content;
  if (typeof secret !== 'string' || typeof returnTo !== 'string' || typeof startedAt !== 'number') return undefined;
  const ageMs = now.getTime() - startedAt;
  if (begunAt !== source || !isOwnPath(returnTo) || !(ageMs >= 0 && ageMs <= attemptLimitMs)) return undefined;
  return { secret, source, returnTo, startedAt: new Date(startedAt) };
}

/** What travels to the provider and back, or is shown at the token endpoint. */
export function parametersOf({ secret, source, returnTo, startedAt }: Attempt) {
  const derive = (purpose: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([purpose, source, returnTo, startedAt.getTime()]))
      .digest('base64url');
  return { state: derive('state'), nonce: derive('nonce'), verifier: derive('verifier') };
}

export function isSameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** A path on this server: no other host behind two slashes, no control characters. */
function isOwnPath(path: string): boolean {
  return /^\/(?![/\\])[\x21-\x7e]{0,500}$/.test(path) && !path.includes('\\');
}
