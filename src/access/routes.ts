/** Signing in and out, who am I, and the two well-known documents of a server that says what it is. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { FhirError } from '../fhir/index.ts';
import type { Access } from './access.ts';
import { securityTxt } from './security-txt.ts';
import { endedCookie, sessionCookie } from './session-cookie.ts';

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
  /** Where to report a vulnerability (RFC 9116), a URI. */
  securityContact?: string;
  /** Present instant, for the expiry of `security.txt`. */
  now?: () => Date;
}

export async function accessRoutes(app: FastifyInstance, options: AccessRoutesOptions): Promise<void> {
  const { access, securityContact = 'mailto:securite@passerelle.example', now = () => new Date() } = options;

  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.setErrorHandler(answerError);

  app.post<{ Body: { username: string; password: string } }>(
    '/oauth2/login',
    { schema: loginSchema, bodyLimit: loginBodyLimitBytes },
    async (request, reply) => {
      const { username, password } = request.body;
      const result = await access.signIn({ username, password, network: request.ip, requestId: request.id });
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
        case 'signed-in':
          reply.header('set-cookie', sessionCookie(result.secret, access.secure));
          return userInfo(result);
      }
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

  // SMART App Launch 2: there is no authorization server yet, so there is none to announce.
  app.get('/.well-known/smart-configuration', async () => ({
    capabilities: [],
    grant_types_supported: [],
    response_types_supported: [],
    scopes_supported: [],
  }));

  app.get('/.well-known/security.txt', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(securityTxt({ contact: securityContact, now: now() })),
  );
}

function userInfo({ tenant, actor }: Awaited<ReturnType<Access['authenticate']>>) {
  const { account, display, reference, roles } = actor;
  return { tenant, account, display, reference, roles };
}

function answer(reply: FastifyReply, status: number, error: string, message: string): FastifyReply {
  return reply.code(status).send({ error, message });
}

/** Errors of these routes as people's browsers get them: a code and a French sentence, nothing of the inside. */
function answerError(
  error: unknown,
  request: { log: { error(object: object, message: string): void } },
  reply: FastifyReply,
) {
  if (error instanceof FhirError) {
    if (error.status === 401) {
      reply.header('www-authenticate', 'Bearer');
      return answer(reply, 401, 'login_required', 'Connectez-vous.');
    }
    if (error.status === 403) return answer(reply, 403, 'refused', "L'en-tête X-Passerelle manque.");
  }
  const { statusCode, name } = error as { statusCode?: number; name?: string };
  if (statusCode && statusCode >= 400 && statusCode < 500) {
    return answer(reply, statusCode, 'invalid_request', 'Envoyez un objet JSON avec "username" et "password".');
  }
  request.log.error(
    { error: name, ...(error instanceof FhirError ? { status: error.status } : {}) },
    'sign-in routes failed',
  );
  return answer(reply, 503, 'unavailable', 'Service momentanément indisponible.');
}
