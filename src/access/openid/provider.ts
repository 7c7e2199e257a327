/**
 * An OpenID Connect provider: authorization code with PKCE, and everything the answer has to be before it counts (OpenID Connect Core
 * §3.1.3.7, RFC 9207, RFC 9700). The client library is loaded when somebody first signs in that way.
 */
import type { Configuration } from 'openid-client';
import type { Clock, OpenidSource } from '../../config/index.ts';
import { algorithmOf, isAccessTokenOf } from './at-hash.ts';
import { boundedFetch } from './bounded-fetch.ts';

/** What the provider says of a person, verified: of the ID token and of the userinfo endpoint. */
export interface Proof {
  claims: Readonly<Record<string, unknown>>;
  /** For signing out there; never believed again. */
  idToken: string;
}

export interface Provider {
  readonly source: OpenidSource;
  /** Where to send the browser. @throws ProviderUnavailable */
  authorizationUrl(parameters: { state: string; nonce: string; verifier: string }, redirectUri: string): Promise<URL>;
  /**
   * The proof behind an answer the browser brought.
   * @param answer our redirect address with the query as it arrived.
   * @throws ProviderRefused, ProviderUnavailable
   */
  exchange(answer: URL, parameters: { state: string; nonce: string; verifier: string }): Promise<Proof>;
  /** Where to send the browser to end the session there; undefined when the provider offers none. @throws ProviderUnavailable */
  endSessionUrl(idToken: string, returnTo: string): Promise<URL | undefined>;
}

/** The answer proves nothing. `reason` is a category for the trail. */
export class ProviderRefused extends Error {
  override name = 'ProviderRefused';
}
/** The provider could not be asked. */
export class ProviderUnavailable extends Error {
  override name = 'ProviderUnavailable';
}

/** Keys and addresses of a provider change; once an hour we look. */
const metadataLifetimeMs = 3_600_000;
/** Two clocks are never the same. */
const clockToleranceSeconds = 10;
const timeoutSeconds = 10;

export function createProvider(source: OpenidSource, clock: Clock): Provider {
  let known: { configuration: Promise<Configuration>; until: number } | undefined;

  function configuration(): Promise<Configuration> {
    const now = clock.now().getTime();
    if (!known || known.until <= now) {
      const discovered = discover(source);
      known = { configuration: discovered, until: now + metadataLifetimeMs };
      // What failed is tried again by the next one.
      discovered.catch(() => {
        known = undefined;
      });
    }
    return known.configuration;
  }

  return {
    source,
    async authorizationUrl({ state, nonce, verifier }, redirectUri) {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await import('openid-client');
      return buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: source.scope,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(source.acrValues.length > 0 ? { acr_values: source.acrValues.join(' ') } : {}),
      });
    },
    async exchange(answer, { state, nonce, verifier }) {
      const { authorizationCodeGrant, fetchUserInfo } = await import('openid-client');
      const provider = await configuration();
      const tokens = await authorizationCodeGrant(provider, answer, {
        pkceCodeVerifier: verifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      }).catch(refusedOrUnavailable);
      const idToken = tokens.id_token ?? '';
      const said = tokens.claims();
      if (!said) throw new ProviderRefused('no ID token');
      if (!isAccessTokenOf(said.at_hash, tokens.access_token, algorithmOf(idToken))) {
        throw new ProviderRefused('the access token is not of this ID token');
      }
      // Asked for, not promised (OpenID Connect Core §3.1.2.1): what counts is what came.
      if (source.acrValues.length > 0 && !source.acrValues.includes(String(said.acr))) {
        throw new ProviderRefused('level of assurance too low');
      }
      const hasUserinfo = provider.serverMetadata().userinfo_endpoint !== undefined;
      const more = hasUserinfo
        ? await fetchUserInfo(provider, tokens.access_token, said.sub).catch(refusedOrUnavailable)
        : {};
      return { claims: { ...more, ...said }, idToken };
    },
    async endSessionUrl(idToken, returnTo) {
      const { buildEndSessionUrl } = await import('openid-client');
      const provider = await configuration();
      if (!provider.serverMetadata().end_session_endpoint) return undefined;
      return buildEndSessionUrl(provider, { id_token_hint: idToken, post_logout_redirect_uri: returnTo });
    },
  };
}

async function discover(source: OpenidSource): Promise<Configuration> {
  const client = await import('openid-client');
  // Only this machine itself may be asked in clear: the configuration let nothing else through.
  const isLocal = source.issuer.startsWith('http:');
  const { secret } = source;
  const found = await client
    .discovery(
      new URL(source.discovery ?? source.issuer),
      source.clientId,
      { [client.clockTolerance]: clockToleranceSeconds },
      // Read at each use: a secret that was replaced counts from then on.
      secret
        ? (server, metadata, body, headers) => {
            const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
            const authenticate = methods.includes('client_secret_basic')
              ? client.ClientSecretBasic
              : client.ClientSecretPost;
            authenticate(secret())(server, metadata, body, headers);
          }
        : client.None(),
      {
        timeout: timeoutSeconds,
        [client.customFetch]: (url, options) =>
          boundedFetch(url, { ...options, body: options.body ?? null } as RequestInit),
        // The signature counts even though the token comes over TLS: a provider behind a proxy of ours is one hop further.
        execute: [client.enableNonRepudiationChecks, ...(isLocal ? [client.allowInsecureRequests] : [])],
      },
    )
    .catch(() => {
      throw new ProviderUnavailable('the metadata of the provider could not be read');
    });
  found.timeout = timeoutSeconds;
  const { issuer, authorization_endpoint: authorization } = found.serverMetadata();
  if (issuer !== source.issuer) throw new ProviderUnavailable('the metadata are those of another issuer');
  const url = authorization === undefined ? undefined : URL.parse(authorization);
  if (url?.protocol !== 'https:' && !(isLocal && url?.protocol === 'http:')) {
    throw new ProviderUnavailable('the metadata name no authorization endpoint');
  }
  return found;
}

/** The library says in many words what was wrong with an answer; a network that failed has another name. */
function refusedOrUnavailable(error: unknown): never {
  const { name, code, status } = error as { name?: string; code?: unknown; status?: unknown };
  const isServerError = typeof status === 'number' && status >= 500;
  if (
    name === 'TimeoutError' ||
    name === 'AbortError' ||
    code === 'OAUTH_TIMEOUT' ||
    isServerError ||
    isNetwork(error)
  ) {
    throw new ProviderUnavailable('the provider did not answer');
  }
  throw new ProviderRefused(typeof code === 'string' ? code : 'answer not valid');
}

function isNetwork(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed';
}
