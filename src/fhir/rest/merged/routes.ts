/**
 * `GET /t/all/fhir/[type]`, `POST …/_search`, and operations that can be asked everywhere: what every tenant of the caller has to show
 * (docs/access/tenants.md). Reading only.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Context, FhirError, type Operation } from '../../contract.ts';
import { parseJson, stringifyJson } from '../../json/index.ts';
import { stringifyXml } from '../../xml/index.ts';
import { bundleText, entryText, fullUrl, outcomeEntry } from '../bundle.ts';
import { parsePrefer } from '../conditions.ts';
import { failureOf, loggable } from '../errors.ts';
import { contentTypes, type Format, negotiate } from '../negotiation.ts';
import { parametersOfQuery } from '../operation.ts';
import { formatOf, queryOf, requestIdOf, withoutRepresentation } from '../request.ts';
import { mergedOperation } from './merged-operation.ts';
import { readMergedQuery } from './merged-query.ts';
import { type MergedPage, type MergedRow, type MergedSearchParts, mergedSearch } from './merged-search.ts';

export type Caller = Omit<Context, 'requestId' | 'interaction' | 'network' | 'now'>;

export interface MergedRoutesOptions extends MergedSearchParts {
  /** The caller at home and in every tenant that accepted them. @throws FhirError 401. */
  everywhere(request: FastifyRequest): Promise<Caller[]>;
  /** Types that are offered. */
  types: readonly ResourceType[];
  baseUrl: () => string;
}

const formLimitBytes = 64 * 1024;

/** Register without a prefix. */
export async function mergedRoutes(app: FastifyInstance, options: MergedRoutesOptions): Promise<void> {
  const { clock, baseUrl, everywhere, types } = options;
  const base = () => `${baseUrl()}/t/all/fhir`;

  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: formLimitBytes },
    (_request, body, done) => done(null, body),
  );
  app.setErrorHandler((error, request, reply) => {
    const failure = failureOf(error, request.id);
    if (failure.isInternal) request.log.error({ ...loggable(error), requestId: request.id }, 'merged search failed');
    if (failure.status === 401) reply.header('WWW-Authenticate', 'Bearer');
    reply.code(failure.status).header('Cache-Control', 'no-store');
    return send(reply, formatFor(request) ?? 'json', JSON.stringify(failure.outcome));
  });

  /** The caller in each tenant, and the question. */
  async function understood(request: FastifyRequest, reply: FastifyReply, interaction: string) {
    const requestId = requestIdOf(request);
    reply.header('X-Request-Id', requestId);
    const callers = await everywhere(request);
    const format = formatFor(request);
    if (!format) throw new FhirError(406, 'not-supported', 'only JSON and XML are served');
    const form = typeof request.body === 'string' ? request.body : '';
    const text = withoutRepresentation([queryOf(request), form].filter(Boolean).join('&'));
    const contexts = callers.map(
      (caller): Context => ({ ...caller, ...{ requestId, interaction, network: request.ip, now: () => clock.now() } }),
    );
    return { contexts, format, text };
  }

  async function answer(request: FastifyRequest, reply: FastifyReply, type: ResourceType): Promise<FastifyReply> {
    const { contexts, format, text } = await understood(request, reply, 'search-type');
    const { handling } = parsePrefer(String(request.headers.prefer ?? ''));
    const query = readMergedQuery(text, handling);
    const page = await mergedSearch(options, contexts, type, query);
    reply.header('Cache-Control', 'private, no-cache').header('Vary', 'Accept');
    return send(reply, format, bundleOf(page, `${base()}/${type}`, query));
  }

  async function operate(request: FastifyRequest, reply: FastifyReply, operation: Operation): Promise<FastifyReply> {
    const { name, type, everywhere } = operation;
    if (!everywhere) throw new FhirError(404, 'not-supported', `$${name} is not offered over several tenants`);
    const { contexts, format, text } = await understood(request, reply, `operation:${type}/$${name}`);
    const bundle = await mergedOperation(options, contexts, {
      operation: { ...operation, everywhere },
      query: text,
      parameters: parametersOfQuery(text),
      url: `${base()}/${type}/$${name}`,
      baseOf: (tenant) => `${baseUrl()}/t/${tenant}/fhir`,
    });
    reply.header('Cache-Control', 'private, no-cache').header('Vary', 'Accept');
    return send(reply, format, stringifyJson(bundle));
  }

  function bundleOf(page: MergedPage, url: string, { text, first }: { text: string; first: string }): string {
    const at = (query: string) => (query ? `${url}?${query}` : url);
    const next = page.next === undefined ? [] : [[first, `_cursor=${page.next}`].filter(Boolean).join('&')];
    const entry = (mode: 'match' | 'include') => (row: MergedRow) =>
      entryText({
        fullUrl: fullUrl(`${baseUrl()}/t/${row.tenant}/fhir`, row.version),
        resource: row.version.text,
        search: { mode },
      });
    return bundleText({
      type: 'searchset',
      timestamp: clock.now(),
      ...(page.total === undefined ? {} : { total: page.total }),
      links: [
        { relation: 'self', url: at(text) },
        { relation: 'first', url: at(first) },
        ...next.map((query) => ({ relation: 'next' as const, url: at(query) })),
      ],
      entries: [
        ...page.matches.map(entry('match')),
        ...page.included.map(entry('include')),
        ...(page.warnings.length > 0 ? [outcomeEntry(page.warnings)] : []),
      ],
    });
  }

  for (const type of types) {
    app.get(`/t/all/fhir/${type}`, (request, reply) => answer(request, reply, type));
    app.post(`/t/all/fhir/${type}/_search`, (request, reply) => answer(request, reply, type));
  }
  for (const operation of options.store.operations.filter((each) => each.everywhere && each.level === 'type')) {
    app.get(`/t/all/fhir/${operation.type}/$${operation.name}`, (request, reply) => operate(request, reply, operation));
  }
}

/** There are no pages for people here. */
function formatFor(request: FastifyRequest): Exclude<Format, 'html'> | undefined {
  const format = negotiate(request.headers.accept, formatOf(request));
  return format === 'html' ? 'json' : format;
}

function send(reply: FastifyReply, format: Exclude<Format, 'html'>, json: string): FastifyReply {
  return reply.type(contentTypes[format]).send(format === 'xml' ? stringifyXml(parseJson(json)) : json);
}
