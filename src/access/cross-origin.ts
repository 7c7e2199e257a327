/**
 * Pages of other sites (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol): none unless the deployment names their origin, and
 * then with a token of their own, never with our cookie: no answer ever allows credentials.
 */
import type { FastifyInstance } from 'fastify';

/** What an app uses; signing in is for our own page. */
const open =
  /^\/(?:fhir|t\/[^/]+\/fhir|dicomweb|\.well-known)(?:\/|\?|$)|^\/oauth2\/(?:token|introspect|revoke|userinfo|jwks)(?:\?|$)/;
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const requestHeaders = [
  'Accept',
  'Authorization',
  'Content-Type',
  'If-Match',
  'If-Modified-Since',
  'If-None-Exist',
  'If-None-Match',
  'Prefer',
  'X-Request-Id',
].join(', ');
const answerHeaders = 'Content-Location, ETag, Last-Modified, Location, Retry-After, X-Progress, X-Request-Id';
const preflightSeconds = '600';

export interface CrossOriginOptions {
  origins: readonly string[];
}

/** Register it after the headers of every answer and before every route. */
export async function crossOrigin(app: FastifyInstance, { origins }: CrossOriginOptions): Promise<void> {
  if (origins.length === 0) return;
  const allowed = new Set(origins);
  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers;
    if (!open.test(request.url) || origin === undefined || !allowed.has(origin)) return;
    reply.header('access-control-allow-origin', origin).header('access-control-expose-headers', answerHeaders);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return;
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': methods,
        'access-control-allow-headers': requestHeaders,
        'access-control-max-age': preflightSeconds,
      })
      .send();
  });
  // Routes say what else their answers depend on.
  app.addHook('onSend', async (request, reply) => {
    if (!open.test(request.url)) return;
    const vary = reply.getHeader('vary');
    reply.header('vary', vary === undefined ? 'Origin' : `${vary}, Origin`);
  });
}
Object.assign(crossOrigin, { [Symbol.for('skip-override')]: true });
