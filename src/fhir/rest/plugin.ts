/**
 * `fhirRoutes`: the RESTful API as a Fastify plugin (https://hl7.org/fhir/R4/http.html). HTTP comes in and leaves here; what an
 * interaction does is in the file of its name, where it lives is in routes.ts.
 */
import type {} from '@fastify/compress';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../config/index.ts';
import { FhirError, type FhirGuards } from '../contract.ts';
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import type { RestStore } from '../store/contract.ts';
import { type Admission, admit } from './admission.ts';
import { artefactsOf, readArtefacts } from './artefacts.ts';
import type { Service } from './call.ts';
import { failureOf, loggable } from './errors.ts';
import { execute } from './execute.ts';
import { sendAnswer, sendFailure } from './reply.ts';
import { callOf, queryOf, requestIdOf } from './request.ts';
import { resolve, routes } from './routes.ts';

export interface FhirRoutesOptions {
  store: RestStore;
  guards: FhirGuards;
  clock: Clock;
  /** Where the server is reached, without the plugin's prefix and without a slash at the end. */
  baseUrl: () => string;
  /** Adds to the CapabilityStatement what other parts serve beside the routes (topics of subscriptions, the WebSocket). */
  describe?: (statement: CapabilityStatement) => void;
}

/** What is known of a request before its body is. */
interface Arrival {
  requestId: string;
  path: string;
  isPretty: boolean;
  admission?: Admission;
}

declare module 'fastify' {
  interface FastifyRequest {
    fhirArrival: Arrival | null;
  }
}

/** Register under a prefix: `/fhir`, or `/t/:tenant/fhir`, which answers the callers of that tenant only. */
export async function fhirRoutes(app: FastifyInstance, options: FhirRoutesOptions): Promise<void> {
  const { store, guards, clock, baseUrl } = options;
  const service: Service = {
    store,
    guards,
    clock,
    log: app.log,
    artefacts: artefactsOf(readArtefacts(), () => store.operations),
    searchDefinitions: loadSearchDefinitions(),
    statement: {},
    routes,
    resolve,
    ...(options.describe ? { describe: options.describe } : {}),
  };
  app.decorateRequest('fhirArrival', null);

  // Bodies stay octets until the caller is known and the type of content is settled.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    const arrival = arrivalOf(request);
    request.fhirArrival = arrival;
    reply.header('X-Request-Id', arrival.requestId);
    const format = new URLSearchParams(queryOf(request)).get('_format') ?? undefined;
    arrival.admission = await admit(request, arrival.path, format, service);
  });

  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const { admission, requestId, isPretty } = request.fhirArrival!;
    const base = baseUrl() + app.prefix.replace(':tenant', (request.params as { tenant?: string }).tenant ?? '');
    const { call, interaction } = callOf(request, admission!, requestId, base, service);
    // A raw upload is answered by headers: sending the file back would double the traffic.
    if (admission!.isRawRequest) call.prefer.return ??= 'minimal';
    return sendAnswer(reply, await execute(call, interaction, service), call, {
      isRaw: admission!.isRawAnswer,
      isPretty,
    });
  };
  for (const url of ['/', '/*']) {
    app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'], url, handler: answer });
  }

  app.setErrorHandler((error, request, reply) => {
    const { requestId } = request.fhirArrival ?? arrivalOf(request);
    const failure = failureOf(error, requestId);
    if (failure.isInternal) request.log.error({ ...loggable(error), requestId }, 'FHIR request failed');
    return sendFailure(reply, failure);
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new FhirError(404, 'not-found', 'no such address');
    return sendFailure(reply, failureOf(error, arrivalOf(request).requestId));
  });
}

function arrivalOf(request: FastifyRequest): Arrival {
  const path = (request.params as { '*'?: string })['*'] ?? '';
  const isPretty = /(?:^|&)_pretty=true(?:&|$)/.test(queryOf(request));
  return { requestId: requestIdOf(request), path: path.replace(/\/$/, ''), isPretty };
}
