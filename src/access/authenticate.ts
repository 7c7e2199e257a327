/** Who sends this request: a bearer token, else a session cookie; and the proof that a page of ours sent it (CSRF). */
import type { Clock } from '../config/index.ts';
import type { Database } from '../db/index.ts';
import type { FhirGuards } from '../fhir/index.ts';
import { type CredentialKind, hashSecret, type Identified, identify } from './credentials.ts';
import { refusal } from './refusals.ts';
import { readSessionCookie } from './session-cookie.ts';

/** How long an identification is believed without asking the database: an account shut off elsewhere loses access within this. */
const believedForMs = 5_000;
const believedAtMost = 10_000;
/** No header of ours is longer; longer ones are not worth hashing. */
const longestSecret = 128;
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

type AuthenticatedRequest = Parameters<FhirGuards['authenticate']>[0];

/** A request's credential as presented. */
export function presentedSecret(
  headers: AuthenticatedRequest['headers'],
  secure: boolean,
): { kind: CredentialKind; secret: string } | undefined {
  const { authorization, cookie } = headers;
  if (typeof authorization === 'string') {
    const secret = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    return secret === undefined ? undefined : { kind: 'token', secret };
  }
  const secret = readSessionCookie(typeof cookie === 'string' ? cookie : undefined, secure);
  return secret === undefined ? undefined : { kind: 'session', secret };
}

export interface Authenticator {
  authenticate: FhirGuards['authenticate'];
  /** Forgets what was believed about a secret: it was just revoked. */
  forget(secret: string): void;
  /** Forgets everything: an account changed. */
  forgetAll(): void;
}

export function createAuthenticator(options: { database: Database; clock: Clock; secure: boolean }): Authenticator {
  const { database, clock, secure } = options;
  const believed = new Map<string, { identified: Identified; until: number }>();
  const keyOf = (secret: string) => hashSecret(secret).toString('base64');

  async function identifyOnce(kind: CredentialKind, secret: string): Promise<Identified | undefined> {
    const now = clock.now();
    const key = `${kind} ${keyOf(secret)}`;
    const known = believed.get(key);
    if (known && known.until > now.getTime()) return known.identified;
    const identified = await identify(database, secret, kind, now);
    believed.delete(key);
    if (!identified) return undefined;
    if (believed.size >= believedAtMost) believed.clear();
    const until = Math.min(now.getTime() + believedForMs, identified.expiresAt.getTime());
    believed.set(key, { identified, until });
    return identified;
  }

  return {
    async authenticate(request) {
      const presented = presentedSecret(request.headers, secure);
      const identified =
        presented && presented.secret.length <= longestSecret
          ? await identifyOnce(presented.kind, presented.secret)
          : undefined;
      if (!identified) {
        throw refusal(401, 'login', {
          diagnostics: 'Sign in first: session cookie or bearer token',
          text: 'Connectez-vous.',
        });
      }
      if (identified.kind === 'session' && !safeMethods.has(request.method ?? '') && !request.headers['x-passerelle']) {
        throw refusal(403, 'forbidden', {
          diagnostics: 'The header X-Passerelle is missing',
          text: 'L’en-tête X-Passerelle manque : la demande ne vient pas de nos pages.',
        });
      }
      return { tenant: identified.tenant, actor: identified.actor };
    },
    forget(secret) {
      for (const kind of ['session', 'token']) believed.delete(`${kind} ${keyOf(secret)}`);
    },
    forgetAll: () => believed.clear(),
  };
}
