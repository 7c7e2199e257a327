/** The two cookies of signing in elsewhere: who began it, and what the provider wants to hear when it ends. */
import { cookieName, readCookie } from '../session-cookie.ts';
import { attemptLimitMs } from './attempt.ts';

/** Sent with the provider's redirect, which another site begins: Lax, unlike the session's. */
const attemptName = (secure: boolean) => `${cookieName(secure)}-openid`;
/** Only to the routes that read it; so it cannot have the `__Host-` prefix, which wants the whole site. */
const tokenName = (secure: boolean) => (secure ? '__Secure-passerelle-openid-token' : 'passerelle-openid-token');
const tokenPath = '/oauth2/openid';
/** Browsers keep cookies of 4,096 bytes. */
const longestToken = 3_500;
const tokenLifetimeSeconds = 12 * 3_600;

export function attemptCookie(value: string, secure: boolean): string {
  return `${attemptName(secure)}=${value}; Path=/; HttpOnly; SameSite=Lax${tls(secure)}; Max-Age=${attemptLimitMs / 1000}`;
}

export function endedAttemptCookie(secure: boolean): string {
  return `${attemptName(secure)}=; Path=/; HttpOnly; SameSite=Lax${tls(secure)}; Max-Age=0`;
}

export function readAttemptCookie(header: string | undefined, secure: boolean): string | undefined {
  return readCookie(header, attemptName(secure));
}

/** The ID token for signing out at the provider stays with the person it is about; too long a one is not kept. */
export function tokenCookie(source: string, idToken: string, secure: boolean): string | undefined {
  const value = `${source}.${idToken}`;
  if (value.length > longestToken || !/^[\w.-]+$/.test(value)) return undefined;
  return `${tokenName(secure)}=${value}; Path=${tokenPath}; HttpOnly; SameSite=Strict${tls(secure)}; Max-Age=${tokenLifetimeSeconds}`;
}

export function endedTokenCookie(secure: boolean): string {
  return `${tokenName(secure)}=; Path=${tokenPath}; HttpOnly; SameSite=Strict${tls(secure)}; Max-Age=0`;
}

export function readTokenCookie(
  header: string | undefined,
  secure: boolean,
): { source: string; idToken: string } | undefined {
  const value = readCookie(header, tokenName(secure));
  const dot = value?.indexOf('.') ?? -1;
  return value !== undefined && dot > 0 ? { source: value.slice(0, dot), idToken: value.slice(dot + 1) } : undefined;
}

function tls(secure: boolean): string {
  return secure ? '; Secure' : '';
}
