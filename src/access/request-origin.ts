/**
 * The proof that a page of ours sent a request (CSRF): a header no form can set, and what the browser itself says about where the
 * request comes from (Fetch Metadata, RFC 6454). The cookie is SameSite=Strict besides; none of the three is trusted alone.
 */
import { refusal } from './refusals.ts';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

interface OriginRequest {
  headers: Record<string, string | string[] | undefined>;
  method?: string;
}

/**
 * Lets through what changes nothing, and what one of our pages sent.
 * @param origin of our public address, where it is configured; the request's own `Host` counts too.
 * @throws FhirError 403.
 */
export function refuseForeignPages(request: OriginRequest, origin?: string): void {
  if (safeMethods.has(request.method ?? '')) return;
  if (!request.headers['x-passerelle']) {
    throw refusal(403, 'forbidden', {
      diagnostics: 'The header X-Passerelle is missing',
      text: 'L’en-tête X-Passerelle manque : la demande ne vient pas de nos pages.',
    });
  }
  refuseForeignOrigin(request, origin);
}

/** The same without the header of ours, for sign-in itself: programs sign in too. @throws FhirError 403. */
export function refuseForeignOrigin({ headers }: OriginRequest, ours?: string): void {
  const site = headers['sec-fetch-site'];
  const { origin, host } = headers;
  const isForeignSite = site !== undefined && site !== 'same-origin';
  const isForeignOrigin = origin !== undefined && origin !== ours && hostOf(origin) !== host;
  if (!isForeignSite && !isForeignOrigin) return;
  throw refusal(403, 'forbidden', {
    diagnostics: 'The request comes from a page of another origin',
    text: 'La demande vient d’une page d’un autre site.',
  });
}

/** Host and port of an origin as `Host` would name them; undefined for `null` and what is no address. */
function hostOf(origin: string | string[]): string | undefined {
  if (typeof origin !== 'string' || !URL.canParse(origin)) return undefined;
  return new URL(origin).host || undefined;
}
