/** How a client proves who it is at the token, introspection and revocation endpoints (RFC 6749 §2.3, RFC 7523, RFC 8705). */
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type ClientCertificate, isWithinDates } from '../client-certificates/certificate.ts';
import { assertionType, readUnverified, verifyAssertion } from './assertion.ts';
import { type Client, findClient } from './client.ts';
import type { Form } from './form.ts';
import type { KeyFetch } from './key-fetch.ts';
import { keyNamed } from './key-set.ts';
import { invalidClient, OAuthError } from './oauth-error.ts';
import { spendAssertion } from './replay.ts';

export interface ProofRooms {
  database: Database;
  /** The machine's clock. */
  clock: Clock;
  keyFetch: KeyFetch;
  /** Address of the token endpoint as published. */
  tokenUrl: () => string;
}

/** A client that proved who it is, or a public one, which cannot. */
export interface ProvenClient {
  client: Client;
  method: 'private_key_jwt' | 'tls_client_auth' | 'none';
  /** Of the certificate it proved itself with: tokens are bound to it. */
  thumbprint?: Buffer;
}

/** @throws OAuthError invalid_client, invalid_request. */
export async function proveClient(
  rooms: ProofRooms,
  form: Form,
  certificate: ClientCertificate | undefined,
): Promise<ProvenClient> {
  const assertion = form.get('client_assertion');
  const named = form.get('client_id');
  // A secret would come by this parameter or by Basic; nobody here has one.
  if (form.has('client_secret')) throw invalidClient('client secrets are not accepted');
  if (assertion !== undefined) {
    if (form.get('client_assertion_type') !== assertionType) {
      throw new OAuthError('invalid_request', `client_assertion_type must be ${assertionType}`);
    }
    return byAssertion(rooms, assertion, named);
  }
  if (named === undefined) throw invalidClient('the request names no client');
  const client = await usable(rooms.database, named);
  if (client.kind === 'public-app') return { client, method: 'none' };
  if (!certificate) throw invalidClient('the client gave no proof');
  if (!isWithinDates(certificate, rooms.clock.now())) throw invalidClient('the certificate is outside its dates');
  if (!certificate.names.some((name) => client.certificates.includes(name))) {
    throw invalidClient('the certificate is not one of the client');
  }
  return { client, method: 'tls_client_auth', thumbprint: certificate.thumbprint };
}

async function byAssertion(rooms: ProofRooms, token: string, named: string | undefined): Promise<ProvenClient> {
  const { clientId, kid, algorithm } = await readUnverified(token);
  if (named !== undefined && named !== clientId) throw invalidClient('the assertion is of another client');
  const client = await usable(rooms.database, clientId);
  const { keys } = client;
  if (!keys) throw invalidClient('the client has no keys');
  const set = 'set' in keys ? keys.set : await fetched(rooms.keyFetch, keys.url, kid, algorithm);
  const key = keyNamed(set, kid, algorithm);
  if (!key) throw invalidClient('the client has no such key');
  const now = rooms.clock.now();
  const assertion = await verifyAssertion(token, { clientId, key, algorithm, audience: rooms.tokenUrl(), now });
  await spendAssertion(rooms.database, client.tenant, assertion, now);
  return { client, method: 'private_key_jwt' };
}

async function usable(database: Database, clientId: string): Promise<Client> {
  const client = await findClient(database, clientId);
  if (!client) throw invalidClient('the client is unknown');
  if (client.disabled) throw invalidClient('the client is shut off');
  return client;
}

async function fetched(keyFetch: KeyFetch, url: string, kid: string, algorithm: string) {
  try {
    return await keyFetch.keySet(url, kid, algorithm);
  } catch (error) {
    throw invalidClient((error as Error).message);
  }
}
