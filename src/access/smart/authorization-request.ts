/**
 * What an app asks of a person (RFC 6749 §4.1.1, RFC 7636, SMART App Launch 2.2 §Obtain authorization code). Until client and redirect
 * address are known for certain, nobody is sent anywhere.
 */
import { platformTenant } from '../../db/index.ts';
import type { Client } from './client.ts';
import { type Form, required } from './form.ts';
import { longestScopeList } from './machine-token.ts';
import { OAuthError } from './oauth-error.ts';
import { commonScopes, isResourceScope, readScopes, type Scope } from './scopes.ts';

export interface AuthorizationRequest {
  client: Client;
  redirectUri: string;
  scopes: readonly Scope[];
  state?: string;
  codeChallenge: string;
  nonce?: string;
  /** Secret that our pages gave the app when they opened it. */
  launch?: string;
}

/** Where an answer goes, once it is certain. */
export interface ReturnAddress {
  client: Client;
  redirectUri: string;
  state?: string;
}

const longestState = 1_024;
/** S256 is 32 octets in base64url. */
const challengeSyntax = /^[A-Za-z0-9_-]{43}$/;

/** @throws OAuthError whose place is on a page of ours: an address that is not the app's must never get anything. */
export async function returnAddress(
  form: Form,
  findClient: (id: string) => Promise<Client | undefined>,
): Promise<ReturnAddress> {
  const client = await findClient(required(form, 'client_id'));
  if (!client || client.disabled || client.kind === 'backend') {
    throw new OAuthError('invalid_client', 'This app is not registered here', 'unknown or disabled app');
  }
  const redirectUri = required(form, 'redirect_uri');
  // Letter by letter (RFC 9700 §2.1): prefixes, other ports and other spellings are other addresses.
  if (!client.redirectUris.includes(redirectUri)) {
    throw new OAuthError('invalid_request', 'The redirect address is not one of the app', 'foreign redirect address');
  }
  const state = form.get('state');
  return { client, redirectUri, ...(state === undefined ? {} : { state: state.slice(0, longestState) }) };
}

/**
 * @param fhirUrl the FHIR API, which the request must name as its audience.
 * @throws OAuthError that goes back to the app.
 */
export function readAuthorizationRequest(form: Form, address: ReturnAddress, fhirUrl: string): AuthorizationRequest {
  if (required(form, 'response_type') !== 'code') {
    throw new OAuthError('unsupported_response_type', 'Only response_type=code is supported');
  }
  const state = required(form, 'state');
  if (state.length > longestState) throw new OAuthError('invalid_request', 'The state is too long');
  // No method means plain (RFC 7636 §4.3), which protects from nothing.
  if (required(form, 'code_challenge_method') !== 'S256' || !challengeSyntax.test(required(form, 'code_challenge'))) {
    throw new OAuthError('invalid_request', 'PKCE with S256 is required');
  }
  if (form.get('response_mode') !== undefined && form.get('response_mode') !== 'query') {
    throw new OAuthError('invalid_request', 'Only response_mode=query is supported');
  }
  if (form.has('request') || form.has('request_uri')) {
    throw new OAuthError('invalid_request', 'Request objects are not supported');
  }
  // A token for another server must not be asked for here, nor the other way round (SMART App Launch 2.2, `aud`).
  if (required(form, 'aud').replace(/\/$/, '') !== fhirUrl) {
    throw new OAuthError('invalid_request', 'aud must be the address of the FHIR API');
  }
  const asked = required(form, 'scope');
  if (asked.length > longestScopeList) throw new OAuthError('invalid_scope', 'The list of scopes is too long');
  const granted = readScopes(address.client.scopes);
  const scopes = commonScopes(readScopes(asked.split(' ')), granted, ['user', 'patient']);
  if (scopes.length === 0) throw new OAuthError('invalid_scope', 'None of these scopes is granted to the app');
  const launch = form.get('launch');
  if (scopes.includes('launch') !== (launch !== undefined)) {
    throw new OAuthError('invalid_request', 'The scope launch and the parameter launch go together');
  }
  const nonce = form.get('nonce')?.slice(0, longestState);
  return {
    ...{ ...address, scopes, state, codeChallenge: required(form, 'code_challenge') },
    ...(nonce === undefined ? {} : { nonce }),
    ...(launch === undefined ? {} : { launch }),
  };
}

/** Whether the app works on one patient, which the launch names or the person chooses. */
export function isAboutOnePatient(scopes: readonly Scope[]): boolean {
  return scopes.some((scope) => scope === 'launch/patient' || (isResourceScope(scope) && scope.level === 'patient'));
}

/** An app of another hospital is none of this person's. */
export function servesTenant(client: Client, tenant: string): boolean {
  return client.tenant === tenant || client.tenant === platformTenant;
}

/** Where the browser goes with an answer (RFC 6749 §4.1.2; RFC 9207 `iss`). */
export function answerAddress(
  { redirectUri, state }: Pick<ReturnAddress, 'redirectUri' | 'state'>,
  issuer: string,
  parameters: Readonly<Record<string, string>>,
): string {
  const query = new URLSearchParams({ ...parameters, ...(state === undefined ? {} : { state }), iss: issuer });
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${query}`;
}
