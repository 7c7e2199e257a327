const consent = '/oauth2/consent?';

/** Address to go on to after signing in, of a query `suite=…`; the server's own consent page and nothing else. */
export function consentAddress(query: string): string {
  const next = new URLSearchParams(query).get('suite') ?? '';
  return next.startsWith(consent) ? next : '/';
}
