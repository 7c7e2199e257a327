/** The authorization server over HTTP, in one list (SMART App Launch 2.2; RFC 6749, 7009, 7523, 7636, 7662, 8705). */
import type { FastifyInstance } from 'fastify';
import { answerAuthorize } from './authorize.ts';
import { decide, showConsent } from './consent.ts';
import { openidConfiguration, smartConfiguration } from './discovery.ts';
import { acceptForms, type Form, formLimitBytes, readForm } from './form.ts';
import { answerIntrospection } from './introspection.ts';
import { openApp, openableApps } from './open-app.ts';
import { ownAppRoutes } from './own-apps.ts';
import { answerPageError, stylesheet } from './page.ts';
import { answerRevocation } from './revocation.ts';
import { answerOAuthError, type OAuthService } from './service.ts';
import { answerToken } from './token-endpoint.ts';

export interface SmartRoutesOptions {
  service: OAuthService;
  /** Whether connections are asked for certificates of clients. */
  certificates: boolean;
}

export async function smartRoutes(app: FastifyInstance, { service, certificates }: SmartRoutesOptions): Promise<void> {
  const { baseUrl } = service;
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' });
  });
  app.setErrorHandler(answerOAuthError);
  acceptForms(app);
  const limit = { bodyLimit: formLimitBytes };

  app.post<{ Body: Form }>('/oauth2/token', limit, (request) => answerToken(service, request, formOf(request)));
  app.post<{ Body: Form }>('/oauth2/introspect', limit, (request) =>
    answerIntrospection(service, request, formOf(request)),
  );
  app.post<{ Body: Form }>('/oauth2/revoke', limit, async (request, reply) => {
    await answerRevocation(service, request, formOf(request));
    return reply.code(200).send();
  });

  const page = { ...limit, errorHandler: answerPageError };
  app.get('/oauth2/authorize', page, (request, reply) => answerAuthorize(service, request, reply, queryOf(request)));
  app.post<{ Body: Form }>('/oauth2/authorize', page, (request, reply) =>
    answerAuthorize(service, request, reply, formOf(request)),
  );
  app.get('/oauth2/consent', page, (request, reply) => showConsent(service, request, reply, queryOf(request)));
  app.post<{ Body: Form }>('/oauth2/consent', page, (request, reply) =>
    decide(service, request, reply, formOf(request)),
  );
  app.get('/oauth2/launch', (request) => openableApps(service, request));
  app.post<{ Body: Form }>('/oauth2/launch', limit, (request) => openApp(service, request, formOf(request)));
  ownAppRoutes(app, service);
  app.get('/oauth2/page.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(stylesheet));

  app.get('/oauth2/jwks', () => service.signingKeys.published());
  for (const prefix of ['', '/fhir']) {
    app.get(`${prefix}/.well-known/smart-configuration`, async () =>
      smartConfiguration({ baseUrl: baseUrl(), certificates }),
    );
  }
  app.get('/.well-known/openid-configuration', async () => openidConfiguration({ baseUrl: baseUrl(), certificates }));
}

/** A request without a body has no parameters. */
function formOf({ body }: { body: Form | undefined }): Form {
  return body ?? new Map();
}

/** Parameters of the address; like those of a form, none twice. */
function queryOf({ url }: { url: string }): Form {
  const start = url.indexOf('?');
  return readForm(start === -1 ? '' : url.slice(start + 1));
}
