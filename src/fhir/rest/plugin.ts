/**
 * `fhirRoutes`: the RESTful API as a Fastify plugin (https://hl7.org/fhir/R4/http.html). HTTP comes in and leaves here; what an
 * interaction does is in the file of its name, where it lives is in routes.ts.
 */
import type { Readable } from 'node:stream';
import type { Binary, CapabilityStatement } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../config/index.ts';
import { FhirError, type FhirGuards } from '../contract.ts';
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import { r4Types } from '../definitions/structure-r4.ts';
import { type Asked, answerPage, startPage, type Viewer } from '../html/index.ts';
import type { RestStore } from '../store/contract.ts';
import { type Admission, admit } from './admission.ts';
import { artefactsOf, readArtefacts } from './artefacts.ts';
import { receiptOf } from './binary.ts';
import type { Service } from './call.ts';
import { decodeBody } from './content-encoding.ts';
import { failureOf, loggable } from './errors.ts';
import { execute } from './execute.ts';
import { type Format, negotiate } from './negotiation.ts';
import { openRoutes } from './open-routes.ts';
import { type Presentation, sendAnswer, sendFailure, sendPage } from './reply.ts';
import { callOf, formatOf, queryOf, requestIdOf, withoutRepresentation } from './request.ts';
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
  /** Undefined when nothing of ours will do; failures are JSON then. */
  format?: Format;
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
    if (request.routeOptions.config.isOpen) return;
    arrival.admission = await admit(request, arrival.path, formatOf(request), service);
  });
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const limit = request.routeOptions.bodyLimit ?? app.initialConfig.bodyLimit!;
    done(null, decodeBody(request.headers, payload as Readable, limit));
  });

  const baseOf = (request: FastifyRequest) =>
    baseUrl() + app.prefix.replace(':tenant', (request.params as { tenant?: string }).tenant ?? '');

  const presentation = (request: FastifyRequest): Presentation => {
    const { format = 'json', isPretty, admission } = request.fhirArrival ?? arrivalOf(request);
    return {
      format: admission?.format ?? format,
      isPretty,
      isBrowser: negotiate(request.headers.accept, undefined) === 'html',
      page: (status, body) => answerPage(askedOf(request, baseOf(request), service), status, body),
    };
  };

  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const { admission, requestId, path } = request.fhirArrival!;
    const base = baseOf(request);
    if (path === '' && request.method !== 'POST' && !admission!.target)
      return sendPage(reply, startPage(base, r4Types, viewerOf(admission)));
    const { call, interaction } = callOf(request, admission!, requestId, base, service);
    const answered = await execute(call, interaction, service);
    const isUpload = admission!.bodyFormat === 'raw' && call.prefer.return === undefined;
    const shown = isUpload ? receiptOf(answered, (call.body as Binary).contentType) : answered;
    return sendAnswer(reply, shown, call, presentation(request));
  };
  for (const url of ['/', '/*']) {
    app.route({ method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'], url, handler: answer });
  }
  openRoutes(app, service, baseOf);

  app.setErrorHandler((error, request, reply) => {
    const { requestId } = request.fhirArrival ?? arrivalOf(request);
    const failure = failureOf(error, requestId);
    if (failure.isInternal) request.log.error({ ...loggable(error), requestId }, 'FHIR request failed');
    return sendFailure(reply, failure, presentation(request));
  });
  app.setNotFoundHandler((request, reply) => {
    const error = new FhirError(404, 'not-found', 'no such address');
    return sendFailure(reply, failureOf(error, arrivalOf(request).requestId), presentation(request));
  });
}

function arrivalOf(request: FastifyRequest): Arrival {
  const path = (request.params as { '*'?: string })['*'] ?? '';
  const isPretty = /(?:^|&)_pretty=true(?:&|$)/.test(queryOf(request));
  const format = negotiate(request.headers.accept, formatOf(request));
  return { requestId: requestIdOf(request), path: path.replace(/\/$/, ''), isPretty, ...(format ? { format } : {}) };
}

/** What a page must know beside the resource. */
function askedOf(request: FastifyRequest, base: string, { searchDefinitions }: Service): Asked {
  const { path, admission } = request.fhirArrival ?? arrivalOf(request);
  const { interaction, address: { type, id } = {} } = admission?.target ?? {};
  const viewer = viewerOf(admission);
  return {
    base,
    path,
    query: withoutRepresentation(queryOf(request)),
    ...(type ? { type } : {}),
    ...(id ? { id } : {}),
    ...(viewer ? { viewer } : {}),
    ...(type && interaction?.code === 'search-type'
      ? { fields: searchDefinitions.parameters(type).map(({ code, type: kind }) => ({ name: code, type: kind })) }
      : {}),
  };
}

function viewerOf(admission: Admission | undefined): Viewer | undefined {
  const caller = admission?.caller;
  return caller && { display: caller.actor.display, tenant: caller.tenant };
}
