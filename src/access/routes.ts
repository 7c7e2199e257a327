/** Signing in and out, who am I; the steps of a sign-in and the pages of one's own account beside them (docs/access/people.md). */
import type { FastifyInstance } from 'fastify';
import { FhirError } from '../fhir/index.ts';
import type { Access } from './access.ts';
import { answerError } from './answer-error.ts';
import { accountRoutes } from './own-account/routes.ts';
import { sessionRoutes } from './own-account/session-routes.ts';
import { refuseForeignOrigin } from './request-origin.ts';
import { endedCookie } from './session-cookie.ts';
import { answerSignIn, originOf, userInfo } from './sign-in/answer.ts';
import { missingRoutes } from './sign-in/missing-routes.ts';
import { signInRoutes } from './sign-in/routes.ts';

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
    // Images and pages the browser kept for this person go too; cookies of sites beside ours stay, so they are not named.
    if (request.headers['x-passerelle']) {
      reply.header('set-cookie', endedCookie(access.secure)).header('clear-site-data', '"cache", "storage"');
    }
    return reply.code(204).send();
  });

  app.get('/oauth2/userinfo', async (request) => {
    const caller = await access.authenticate(request);
    // Where else they may work, and as whom there: `/t/[tenant]/fhir`.
    const tenants = (await access.elsewhere(caller)).map(({ tenant, actor: { reference, roles } }) => ({
      ...{ tenant, reference, roles },
    }));
    return { ...userInfo(caller), tenants };
  });

  await app.register(signInRoutes, { access });
  await app.register(missingRoutes, { access });
  await app.register(accountRoutes, { access });
  await app.register(sessionRoutes, { access });
}
