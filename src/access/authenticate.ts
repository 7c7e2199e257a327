/** Who sends this request: the first credential of a known kind it presents; and the proof that a page of ours sent it (CSRF). */
import type { Clock } from '../config/index.ts';
import type { Identified } from './credentials.ts';
import type { AuthenticatedRequest, CredentialRecogniser } from './recognise.ts';
import { refusal } from './refusals.ts';
import { refuseForeignPages } from './request-origin.ts';
import { createSecretKeys } from './secret-keys.ts';

/** How long an identification is believed without asking the database: an account shut off elsewhere loses access within this. */
const believedForMs = 5_000;
const believedAtMost = 10_000;

/** Who a request comes from, by what it presents alone. */
type Recognised = Pick<Identified, 'tenant' | 'actor' | 'credential'>;

export interface Authenticator {
  /** @throws FhirError 401. */
  recognise(request: AuthenticatedRequest): Promise<Recognised>;
  /** @throws FhirError 403 when a browser sent the credential by itself, for a page that is not ours (CSRF). */
  refuseForeign(request: AuthenticatedRequest): void;
  /** The credential a request presents, unverified. */
  presented(request: AuthenticatedRequest): { recogniser: CredentialRecogniser; secret: string } | undefined;
  /** Forgets everything: an account changed, a credential was revoked. */
  forgetAll(): void;
}

export function createAuthenticator(options: {
  /** In order; the first that finds its kind of credential decides. */
  recognisers: readonly CredentialRecogniser[];
  clock: Clock;
  /** Origin of our public address, where it is configured. */
  origin?: () => string | undefined;
}): Authenticator {
  const { recognisers, clock, origin } = options;
  const believed = new Map<string, { identified: Identified; until: number }>();
  const keyOf = createSecretKeys(believedForMs);

  function presented(request: AuthenticatedRequest) {
    for (const recogniser of recognisers) {
      const secret = recogniser.read(request);
      if (secret !== undefined) return { recogniser, secret };
    }
    return undefined;
  }

  async function identifyOnce(recogniser: CredentialRecogniser, secret: string): Promise<Identified | undefined> {
    const now = clock.now();
    const key = keyOf(recogniser.name, secret);
    const known = believed.get(key);
    // A clock that was put back must not stretch it.
    const leftMs = known ? known.until - now.getTime() : 0;
    if (known && leftMs > 0 && leftMs <= believedForMs) return known.identified;
    const identified = await recogniser.identify(secret, now);
    believed.delete(key);
    if (!identified) return undefined;
    if (believed.size >= believedAtMost) believed.clear();
    const until = Math.min(now.getTime() + believedForMs, identified.expiresAt.getTime());
    believed.set(key, { identified, until });
    return identified;
  }

  return {
    presented,
    async recognise(request) {
      const credential = presented(request);
      const identified = credential && (await identifyOnce(credential.recogniser, credential.secret));
      if (!credential || !identified) {
        throw refusal(401, 'login', {
          diagnostics: 'Sign in first: session cookie or bearer token',
          text: 'Connectez-vous.',
        });
      }
      const { tenant, actor, credential: name } = identified;
      return { tenant, actor, credential: name };
    },
    refuseForeign(request) {
      if (presented(request)?.recogniser.ambient) refuseForeignPages(request, origin?.());
    },
    forgetAll: () => believed.clear(),
  };
}
