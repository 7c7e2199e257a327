/** What the browser is told of a sign-in: cookies and a few words of JSON; the same from every way of signing in. */
import type { FastifyReply } from 'fastify';
import { answer, answerTooEarly } from '../answer-error.ts';
import { endedPendingCookie, pendingCookie, readSessionCookie, sessionCookie } from '../session-cookie.ts';
import type { SignInOrigin, SignInResult } from './complete.ts';
import type { StepResult } from './steps.ts';

/**
 * Sends the answer: 200 signed in, 202 something is missing, 401 refused, 429 too early.
 * @param more what a step brought besides (recovery codes).
 */
export function answerSignIn(
  reply: FastifyReply,
  result: StepResult,
  secure: boolean,
  more: object = {},
): FastifyReply {
  switch (result.status) {
    case 'over':
      reply.header('set-cookie', endedPendingCookie(secure));
      return answer(reply, 401, 'sign_in_over', 'La connexion a expiré : recommencez.');
    case 'wrong-code':
      return answer(reply, 401, 'invalid_code', 'Ce code n’est pas valable.');
    case 'too-early':
      return answerTooEarly(reply, result.retryAfterSeconds);
    case 'refused':
      return answer(reply, 401, 'invalid_credentials', 'Identifiant ou mot de passe incorrect.');
    default:
      setSignInCookies(reply, result, secure);
      return result.status === 'pending'
        ? reply.code(202).send({ step: result.step, ...more })
        : reply.send({ ...userInfo(result), ...more });
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

/** Where a sign-in comes from, of a request. */
export function originOf(request: {
  ip: string;
  id: string;
  headers: Record<string, string | string[] | undefined>;
}): SignInOrigin {
  const { 'user-agent': device, cookie } = request.headers;
  const cookies = typeof cookie === 'string' ? cookie : undefined;
  const replaces = readSessionCookie(cookies, true) ?? readSessionCookie(cookies, false);
  return {
    ...{ network: request.ip, requestId: request.id },
    ...(typeof device === 'string' ? { device } : {}),
    ...(replaces === undefined ? {} : { replaces }),
  };
}
