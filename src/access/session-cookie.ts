/** The cookie that carries a person's session: out of scripts' reach, sent to this site only, over TLS where there is TLS. */
import { sessionLimitMs } from './credentials.ts';
import { pendingLimitMs } from './sign-in/pending.ts';

/** With the `__Host-` prefix browsers refuse the cookie unless it is Secure, without Domain and for the whole site. */
export function cookieName(secure: boolean): string {
  return secure ? '__Host-passerelle' : 'passerelle';
}

/** `Set-Cookie` of a new session. */
export function sessionCookie(secret: string, secure: boolean): string {
  return `${cookieName(secure)}=${secret}; ${attributes(secure)}; Max-Age=${sessionLimitMs / 1000}`;
}

/** `Set-Cookie` that makes the browser forget it. */
export function endedCookie(secure: boolean): string {
  return `${cookieName(secure)}=; ${attributes(secure)}; Max-Age=0`;
}

/** Of a sign-in half done: another name, so that neither is ever taken for the other. */
function pendingCookieName(secure: boolean): string {
  return `${cookieName(secure)}-sign-in`;
}

export function pendingCookie(secret: string, secure: boolean): string {
  return `${pendingCookieName(secure)}=${secret}; ${attributes(secure)}; Max-Age=${pendingLimitMs / 1000}`;
}

export function endedPendingCookie(secure: boolean): string {
  return `${pendingCookieName(secure)}=; ${attributes(secure)}; Max-Age=0`;
}

/** The session's secret in a `Cookie` header (RFC 6265 §5.4). */
export function readSessionCookie(header: string | undefined, secure: boolean): string | undefined {
  return readCookie(header, cookieName(secure));
}

/** The secret of a sign-in half done. */
export function readPendingCookie(header: string | undefined, secure: boolean): string | undefined {
  return readCookie(header, pendingCookieName(secure));
}

export function readCookie(header: string | undefined, name: string): string | undefined {
  if (!header) return undefined;
  const prefix = `${name}=`;
  for (const pair of header.split(';')) {
    const text = pair.trim();
    if (text.startsWith(prefix)) return text.slice(prefix.length) || undefined;
  }
  return undefined;
}

function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}
