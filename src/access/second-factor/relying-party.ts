/** Who we are to an authenticator (WebAuthn §5.1.2): the name of our host, and the one origin whose pages may ask. */
import { isIP } from 'node:net';

export interface RelyingParty {
  /** Domain the passkeys are bound to. */
  id: string;
  /** Origin of our pages. */
  origin: string;
}

/**
 * The relying party of our public address; undefined when it cannot be one: passkeys are bound to a name, never to an address. On
 * the machine itself `127.0.0.1` is reached as `localhost`, which browsers take for a secure place.
 * @param baseUrl public address, without a trailing slash.
 */
export function relyingPartyOf(baseUrl: string): RelyingParty | undefined {
  const url = new URL(baseUrl);
  if (url.hostname === '127.0.0.1' || url.hostname === '[::1]') url.hostname = 'localhost';
  const isName = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
  const isSecure = url.protocol === 'https:' || url.hostname === 'localhost';
  return isName && isSecure ? { id: url.hostname, origin: url.origin } : undefined;
}
