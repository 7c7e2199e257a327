/**
 * Signing in through an identity provider, as the browser goes through it: away, back, and in the end away once more to sign out there.
 * People never see an error of ours as JSON here: they land on the sign-in page, which says in French what happened.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access.ts';
import { answerError } from '../answer-error.ts';
import { refuseForeignPages } from '../request-origin.ts';
import { originOf, setSignInCookies } from '../sign-in/answer.ts';
import { signInContext } from '../sign-in/complete.ts';
import { beginAttempt, isSameText, openAttempt, parametersOf, sealAttempt } from './attempt.ts';
import {
  attemptCookie,
  endedAttemptCookie,
  endedTokenCookie,
  readAttemptCookie,
  readTokenCookie,
  tokenCookie,
} from './cookies.ts';
import { onwardPage } from './onward-page.ts';
import { createProvider, type Provider, ProviderUnavailable } from './provider.ts';
import { type OpenidRooms, signInByOpenid } from './sign-in.ts';

/** What the sign-in page is told, in its address. */
type Mishap = 'indisponible' | 'interrompue' | 'annulee' | 'refusee';

type SourceRequest = FastifyRequest<{ Params: { source: string } }>;

export interface OpenidRoutesOptions {
  access: Access;
  /** Public address, without a slash at the end. */
  baseUrl: () => string;
}

export async function openidRoutes(app: FastifyInstance, { access, baseUrl }: OpenidRoutesOptions): Promise<void> {
  const { secure, federation, accountRooms } = access;
  const { securityClock } = federation.rooms;
  const providers = new Map(
    federation.sources.openid.map((source) => [source.name, createProvider(source, securityClock)]),
  );
  const rooms: OpenidRooms = {
    federation: federation.rooms,
    completeSignIn: access.completeSignIn,
    refuseSignIn: (origin, { tenant, account, reason }) =>
      accountRooms.trail.authentication(
        { ...signInContext(accountRooms, origin, account), tenant },
        { kind: 'login', outcome: 'refused', reason },
      ),
  };
  const redirectUri = ({ source }: Provider) => `${baseUrl()}/oauth2/openid/${source.name}/callback`;

  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.setErrorHandler(answerError);

  app.get('/oauth2/methods', async () => ({
    password: true,
    openid: [...providers.values()].map(({ source: { name, label } }) => ({
      name,
      label,
      start: `/oauth2/openid/${name}/start`,
    })),
  }));

  app.get<{ Params: { source: string }; Querystring: { return?: unknown } }>(
    '/oauth2/openid/:source/start',
    async (request, reply) => {
      const provider = providers.get(request.params.source);
      if (!provider) return back(reply, 'indisponible');
      // Another site may lead people to the sign-in page, not begin a sign-in in their place.
      if (request.headers['sec-fetch-site'] === 'cross-site') return reply.redirect('/');
      const { return: returnTo } = request.query;
      const attempt = beginAttempt(
        provider.source.name,
        typeof returnTo === 'string' ? returnTo : undefined,
        securityClock.now(),
      );
      try {
        const url = await provider.authorizationUrl(parametersOf(attempt), redirectUri(provider));
        return reply.header('set-cookie', attemptCookie(sealAttempt(attempt), secure)).redirect(url.href);
      } catch (error) {
        return unavailable(request, reply, error);
      }
    },
  );

  app.get('/oauth2/openid/:source/callback', async (request: SourceRequest, reply) => {
    const provider = providers.get(request.params.source);
    if (!provider) return back(reply, 'interrompue');
    const answer = new URL(redirectUri(provider));
    answer.search = new URL(request.url, baseUrl()).search;
    const cookie = readAttemptCookie(request.headers.cookie, secure);
    const attempt = openAttempt(cookie, provider.source.name, securityClock.now());
    const state = answer.searchParams.get('state');
    // Nothing is asked of the provider unless this browser began it here.
    if (!attempt || state === null || !isSameText(state, parametersOf(attempt).state)) {
      return back(reply, 'interrompue');
    }
    if (answer.searchParams.get('error') === 'access_denied') return back(reply, 'annulee');
    try {
      const outcome = await signInByOpenid(rooms, provider, { attempt, answer, origin: originOf(request) });
      if (outcome.status === 'refused') return back(reply, 'refusee');
      setSignInCookies(reply, outcome.result, secure);
      const kept = tokenCookie(provider.source.name, outcome.idToken, secure);
      addCookies(reply, endedAttemptCookie(secure), ...(kept ? [kept] : []));
      // The steps that may be missing are the sign-in page's.
      const next = outcome.result.status === 'signed-in' ? attempt.returnTo : '/';
      return reply.type('text/html; charset=utf-8').send(onwardPage(next));
    } catch (error) {
      return unavailable(request, reply, error);
    }
  });

  app.post('/oauth2/openid/end-session', async (request, reply) => {
    refuseForeignPages(request, access.origin());
    const kept = readTokenCookie(request.headers.cookie, secure);
    reply.header('set-cookie', endedTokenCookie(secure));
    const provider = kept && providers.get(kept.source);
    if (!kept || !provider) return reply.code(204).send();
    try {
      const url = await provider.endSessionUrl(kept.idToken, `${baseUrl()}/`);
      return url ? { redirect: url.href } : reply.code(204).send();
    } catch (error) {
      if (error instanceof ProviderUnavailable) return reply.code(204).send();
      throw error;
    }
  });

  function back(reply: FastifyReply, mishap: Mishap): FastifyReply {
    addCookies(reply, endedAttemptCookie(secure));
    return reply.redirect(`/?connexion=${mishap}`);
  }

  function unavailable(request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
    if (!(error instanceof ProviderUnavailable)) throw error;
    request.log.warn({ reason: error.message }, 'an identity provider failed');
    return back(reply, 'indisponible');
  }
}

/** Beside those that are there already. */
function addCookies(reply: FastifyReply, ...cookies: string[]): void {
  const before = reply.getHeader('set-cookie') ?? [];
  reply.removeHeader('set-cookie');
  reply.header('set-cookie', [...(Array.isArray(before) ? before : [String(before)]), ...cookies]);
}
