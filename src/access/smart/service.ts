/** What every endpoint of the authorization server is given, and what they share. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Clock, systemClock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { FhirError, type FhirGuards, type FhirStore } from '../../fhir/index.ts';
import { certificateOf } from '../client-certificates/certificate.ts';
import { type ProvenClient, proveClient } from './client-proof.ts';
import type { Form } from './form.ts';
import { createKeyFetch, type KeyFetch } from './key-fetch.ts';
import { OAuthError } from './oauth-error.ts';
import { openSigningKeys, type SigningKeys } from './signing-keys.ts';
import { createOAuthTrail, type OAuthTrail, type RecordActivity } from './trail.ts';

export interface OAuthService {
  database: Database;
  /** The machine's clock: lives of tokens are real time, even when a demonstration runs on a faster one. */
  clock: Clock;
  /** Public address, without a slash at the end: the issuer. */
  baseUrl: () => string;
  keyFetch: KeyFetch;
  signingKeys: SigningKeys;
  trail: OAuthTrail;
  /** Rights and reads of the person who consents: an app is given nobody that this person does not see. */
  guards: Pick<FhirGuards, 'authenticate' | 'authorize' | 'auditRead'>;
  store: Pick<FhirStore, 'transaction'>;
  /** Served over TLS: names of cookies. */
  secure: boolean;
  /** Instant of the platform, for the trail. */
  now(): Date;
  /** Called after tokens ended, so that nobody goes on believing in them. */
  forgetTokens(): void;
}

export interface OAuthOptions {
  database: Database;
  store: Pick<FhirStore, 'transaction'>;
  access: OAuthService['guards'] & {
    recordActivity: RecordActivity;
    forgetCredentials(): void;
    readonly secure: boolean;
  };
  /** Clock of the platform: what the trail records. */
  clock: Clock;
  /** Clock of lives and limits; the machine's when absent. */
  securityClock?: Clock;
  baseUrl: () => string;
  /** Folder of the keys that sign identity tokens. */
  keyFolder: string;
  /** Hosts key sets of clients may be fetched from, and further authorities for them, PEM. */
  keyHosts: readonly string[];
  keyAuthorities?: readonly string[];
}

export function createOAuthService(options: OAuthOptions): OAuthService {
  const {
    database,
    access,
    clock,
    securityClock = systemClock,
    baseUrl,
    keyFolder,
    keyHosts,
    keyAuthorities,
  } = options;
  return {
    ...{ database, baseUrl, clock: securityClock },
    keyFetch: createKeyFetch({
      hosts: keyHosts,
      clock: securityClock,
      ...(keyAuthorities ? { ca: keyAuthorities } : {}),
    }),
    signingKeys: openSigningKeys(keyFolder, securityClock),
    trail: createOAuthTrail(access.recordActivity, () => clock.now()),
    guards: access,
    store: options.store,
    secure: access.secure,
    now: () => clock.now(),
    forgetTokens: access.forgetCredentials,
  };
}

export function tokenUrlOf(baseUrl: string): string {
  return `${baseUrl}/oauth2/token`;
}

/** Address of the FHIR API, the only audience of our tokens. */
export function fhirUrlOf(baseUrl: string): string {
  return `${baseUrl}/fhir`;
}

/** The client of a request to an endpoint for clients. @throws OAuthError invalid_client; a refusal is in the trail by then. */
export async function clientOf(
  service: OAuthService,
  request: FastifyRequest,
  form: Form,
  interaction: string,
): Promise<ProvenClient> {
  const { database, clock, keyFetch, baseUrl, trail } = service;
  const rooms = { database, clock, keyFetch, tokenUrl: () => tokenUrlOf(baseUrl()) };
  try {
    return await proveClient(rooms, form, certificateOf(request.socket));
  } catch (error) {
    if (error instanceof OAuthError) {
      await trail.tell(request, { kind: 'token-issue', interaction, outcome: 'refused', reason: error.reason });
    }
    throw error;
  }
}

/** Answers of these endpoints are for their caller alone (RFC 6749 §5.1). */
export function answerOAuthError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = (status: number, body: { error: string; error_description: string }) => {
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="oauth2"');
    return reply.code(status).send(body);
  };
  if (error instanceof OAuthError) return answer(error.status, { error: error.code, error_description: error.message });
  if (error instanceof FhirError && error.status < 500) {
    const code = error.status === 401 ? 'login_required' : 'access_denied';
    return answer(error.status, { error: code, error_description: error.message });
  }
  const { statusCode, name } = error as { statusCode?: number; name?: string };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return answer(statusCode, { error: 'invalid_request', error_description: 'Send a form of at most 16 kB' });
  }
  request.log.error({ error: name }, 'the authorization server failed');
  return answer(503, { error: 'temporarily_unavailable', error_description: 'Try again later' });
}
