/** Signing in and out, who am I, and the two well-known documents of a server that says what it is. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { FhirError } from '../fhir/index.ts';
import type { Access } from './access.ts';
import { refuseForeignOrigin } from './request-origin.ts';
import { endedCookie } from './session-cookie.ts';
import { answer, answerSignIn, userInfo } from './sign-in/answer.ts';

/** A name and a password need no more. */
const loginBodyLimitBytes = 4_096;

const loginSchema = {
  body: {
    type: 'object',
    required: ['username', 'password'],
    properties: {
      username: { type: 'string', minLength: 1, maxLength: 256 },
      password: { type: 'string', minLength: 1, maxLength: 1_024 },
    },
  },
} as const;

export interface AccessRoutesOptions {
  access: Access;
}

export async function accessRoutes(app: FastifyInstance, options: AccessRoutesOptions): Promise<void> {
  const { access } = options;

  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.setErrorHandler(answerError);

  app.post<{ Body: { username: string; password: string } }>(
    '/oauth2/login',
    { schema: loginSchema, bodyLimit: loginBodyLimitBytes },
    async (request, reply) => {
      // Signing somebody in as somebody else from another site is an attack too.
      refuseForeignOrigin(request, access.origin());
      const { username, password } = request.body;
      const result = await access.signIn({ username, password, ...originOf(request) });
      return answerSignIn(reply, result, access.secure);
    },
  );

  app.post('/oauth2/logout', async (request, reply) => {
    try {
      await access.signOut(request);
    } catch (error) {
      // No session, or one that ended by itself: the browser forgets it, and that is all there is to do.
      if (!(error instanceof FhirError && error.status === 401)) throw error;
    }
    // From another site's form the cookie does not come along (SameSite), which looks like no session: that site must not end ours.
    if (request.headers['x-passerelle']) reply.header('set-cookie', endedCookie(access.secure));
    return reply.code(204).send();
  });

  app.get('/oauth2/userinfo', async (request) => userInfo(await access.authenticate(request)));

}

/** Where a sign-in comes from, of a request. */
export function originOf(request: { ip: string; id: string; headers: Record<string, string | string[] | undefined> }): {
  network: string;
  requestId: string;
  device?: string;
} {
  const device = request.headers['user-agent'];
  return { network: request.ip, requestId: request.id, ...(typeof device === 'string' ? { device } : {}) };
}

/** Errors of these routes as people's browsers get them: a code and a French sentence, nothing of the inside. */
function answerError(
  error: unknown,
  request: { log: { error(object: object, message: string): void } },
  reply: FastifyReply,
) {
  if (error instanceof FhirError) {
    if (error.status === 429) return answer(reply, 429, 'too_many_requests', 'Trop de demandes : réessayez.');
    if (error.status === 401) {
      reply.header('www-authenticate', 'Bearer');
      return answer(reply, 401, 'login_required', 'Connectez-vous.');
    }
    if (error.status === 403) return answer(reply, 403, 'refused', sentenceOf(error));
  }
  const { statusCode, name } = error as { statusCode?: number; name?: string };
  if (statusCode && statusCode >= 400 && statusCode < 500) {
    return answer(reply, statusCode, 'invalid_request', 'La demande n’a pas la forme attendue.');
  }
  request.log.error(
    { error: name, ...(error instanceof FhirError ? { status: error.status } : {}) },
    'sign-in routes failed',
  );
  return answer(reply, 503, 'unavailable', 'Service momentanément indisponible.');
}

function sentenceOf(error: FhirError): string {
  return error.outcome.issue[0]?.details?.text ?? 'Action refusée.';
}
