/** What the browser is told of a sign-in: cookies and a few words of JSON; the same from every way of signing in. */
import type { FastifyReply } from 'fastify';
import { endedPendingCookie, pendingCookie, sessionCookie } from '../session-cookie.ts';
import type { SignInResult } from './complete.ts';

/** Sends the answer: 200 signed in, 202 something is missing, 401 refused, 429 too early. */
export function answerSignIn(reply: FastifyReply, result: SignInResult, secure: boolean): FastifyReply {
  switch (result.status) {
    case 'too-early':
      reply.header('retry-after', String(result.retryAfterSeconds));
      return answer(
        reply,
        429,
        'too_many_attempts',
        `Trop de tentatives : réessayez dans ${result.retryAfterSeconds} s.`,
      );
    case 'refused':
      return answer(reply, 401, 'invalid_credentials', 'Identifiant ou mot de passe incorrect.');
    default:
      setSignInCookies(reply, result, secure);
      return result.status === 'pending' ? reply.code(202).send({ step: result.step }) : reply.send(userInfo(result));
  }
}

/** The cookies alone, for ways of signing in that answer by a page. */
export function setSignInCookies(
  reply: FastifyReply,
  result: Extract<SignInResult, { secret: string }>,
  secure: boolean,
): void {
  if (result.status === 'pending') {
    reply.header('set-cookie', pendingCookie(result.secret, secure));
  } else {
    reply.header('set-cookie', [sessionCookie(result.secret, secure), endedPendingCookie(secure)]);
  }
}

/** Who is signed in, as `/oauth2/userinfo` says it. */
export function userInfo({
  tenant,
  actor,
}: {
  tenant: string;
  actor: { account: string; display: string; reference: string; roles: readonly string[] };
}) {
  const { account, display, reference, roles } = actor;
  return { tenant, account, display, reference, roles };
}

/** An answer for people: a code and a French sentence. */
export function answer(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message });
}
