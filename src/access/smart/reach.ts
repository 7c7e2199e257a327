/**
 * Where a token of a client counts: at the FHIR API and DICOMweb. It opens no page of an account and none of an administrator, whatever
 * its person may; jobs and sockets, which follow the account, only when it sees all that the account does.
 */
import type { Actor } from '../../fhir/index.ts';
import { refusal } from '../refusals.ts';
import { readsEverything } from './scope-limits.ts';

const api = /^(?:\/t\/[^/?]+)?\/(?:dicomweb|fhir)(?:[/?]|$)/;
const ofAccount = /^(?:\/t\/[^/?]+)?\/fhir\/(?:\$bulk-status|\$bulk-file|\$import|ws)(?:[/?]|$)/;
const whoAmI = /^\/oauth2\/userinfo(?:\?|$)/;

/** What the trail calls an attempt at an address out of reach. */
export const beyondReach = 'oauth2:reach';

/** @throws FhirError 403. */
export function refuseBeyondReach(request: object, { scopes }: Pick<Actor, 'scopes'>): void {
  if (scopes === undefined) return;
  const { url } = request as { url?: unknown };
  // As the router reads it: a percent sign could spell these names in another way.
  const path = typeof url === 'string' ? decoded(url) : '';
  if (whoAmI.test(path) && scopes.includes('openid')) return;
  if (api.test(path) && (!ofAccount.test(path) || readsEverything(scopes))) return;
  throw refusal(403, 'forbidden', {
    diagnostics: 'A token of a client does not reach this address',
    text: 'Une application n’a pas accès à cette adresse.',
  });
}

function decoded(url: string): string {
  // A number sign ends a path there too (RFC 3986 §3.3), although no request should have one.
  const [path = ''] = url.split(/[?#]/);
  try {
    return decodeURIComponent(path);
  } catch {
    return '';
  }
}
