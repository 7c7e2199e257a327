/** A Fastify request as a `Call`. */
import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { type Context, FhirError } from '../contract.ts';
import { parseSentJson } from '../json/index.ts';
import { parseXml } from '../xml/index.ts';
import type { Admission } from './admission.ts';
import { binaryOf } from './binary.ts';
import type { Call, Conditions, Service } from './call.ts';
import { parsePrefer } from './conditions.ts';
import { interactionName } from './interaction-name.ts';
import { type Format, fhirJson, fhirXml, negotiate } from './negotiation.ts';
import { bundleInteractions } from './routes.ts';

/** Who asks for what is public. */
const nobody: Pick<Context, 'tenant' | 'actor'> = {
  tenant: '',
  actor: { reference: '', display: '', account: '', kind: 'machine', roles: [] },
};

/** Parameters about the representation, meant for this layer and not for a search. */
const representation = new Set(['_format', '_pretty']);

/**
 * Id by which log lines, AuditEvents and the answer's `X-Request-Id` are joined: the caller's own when it is harmless, the
 * application's when it makes some. Fastify's counter (`req-1`) begins again at each start and would join what is not one.
 */
export function requestIdOf(request: FastifyRequest): string {
  const isOwn = request.headers['x-request-id'] === request.id || !/^req-[0-9a-z]+$/.test(request.id);
  return isOwn && /^[A-Za-z0-9._-]{1,64}$/.test(request.id) ? request.id : randomUUID();
}

/** The parameter `_format` of the address. */
export function formatOf(request: FastifyRequest): string | undefined {
  const query = queryOf(request);
  return query.includes('_format') ? (new URLSearchParams(query).get('_format') ?? undefined) : undefined;
}

/** The same parameter in the form of a search. @throws FhirError 406 when it names nothing of ours. */
function formatOfForm(form: string): Format | undefined {
  const named = form.includes('_format') ? new URLSearchParams(form).get('_format') : undefined;
  if (!named) return undefined;
  const format = negotiate(undefined, named);
  if (!format) throw new FhirError(406, 'not-supported', `only ${fhirJson} and ${fhirXml} are served`, 'http._format');
  return format;
}

export function queryOf(request: FastifyRequest): string {
  const url = request.raw.url ?? '';
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

/** @throws FhirError 400 when the body cannot be read. */
export function callOf(
  request: FastifyRequest,
  admission: Admission,
  requestId: string,
  base: string,
  service: Service,
): { call: Call; interaction: NonNullable<Admission['target']>['interaction'] } {
  const { body, form } = bodyOf(request, admission);
  if (form !== undefined) admission.format = formatOfForm(form) ?? admission.format;
  const target = admission.target ?? bundleTarget(body);
  const { caller } = admission;
  const context: Context = {
    ...(caller ?? nobody),
    requestId,
    interaction: interactionName(target.interaction, target.address),
    network: request.ip,
    now: () => service.clock.now(),
  };
  const call: Call = {
    context,
    base,
    ...target.address,
    query: queryOfCall(request, admission, form),
    conditions: conditionsOf(request),
    prefer: parsePrefer(header(request, 'prefer')),
    ...(body === undefined ? {} : { body }),
  };
  return { call, interaction: target.interaction };
}

function queryOfCall(request: FastifyRequest, { format }: Admission, form: string | undefined): string {
  const query = withoutRepresentation([queryOf(request), form].filter(Boolean).join('&'));
  // A browser sends the fields of a form that nobody filled, too.
  if (format !== 'html') return query;
  return query
    .split('&')
    .filter((part) => !part.endsWith('='))
    .join('&');
}

function bundleTarget(body: unknown): NonNullable<Admission['target']> {
  const { resourceType, type } = (body ?? {}) as { resourceType?: unknown; type?: unknown };
  const interaction =
    resourceType === 'Bundle' &&
    typeof type === 'string' &&
    Object.hasOwn(bundleInteractions, type) &&
    bundleInteractions[type];
  if (!interaction)
    throw new FhirError(400, 'invalid', 'a Bundle of type batch or transaction is expected here', 'Bundle.type');
  return { interaction, address: {} };
}

/** A resource parsed, a form as it is, a raw file as a Binary. */
function bodyOf(request: FastifyRequest, { bodyFormat, target }: Admission): { body?: unknown; form?: string } {
  const data = request.body;
  if (!Buffer.isBuffer(data) || data.length === 0) return {};
  switch (bodyFormat) {
    case 'raw': {
      const contentType = request.headers['content-type'] ?? '';
      return { body: binaryOf(contentType, data, header(request, 'x-security-context'), target?.address.id) };
    }
    case 'form':
      return { form: decodeUtf8(data) };
    case 'xml':
      return { body: parseXml(decodeUtf8(data)) };
    case 'graphql':
      return { body: { query: decodeUtf8(data) } };
    default:
      return { body: jsonOf(decodeUtf8(data)) };
  }
}

function jsonOf(text: string): unknown {
  try {
    return parseSentJson(text);
  } catch (error) {
    if (error instanceof FhirError) throw error;
    // The parser's own message quotes the text.
    throw new FhirError(400, 'structure', 'the body is not JSON');
  }
}

/** Without the option `stream` it keeps nothing between calls. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(data: Buffer): string {
  try {
    return utf8.decode(data);
  } catch {
    throw new FhirError(400, 'structure', 'the body is not UTF-8');
  }
}

function conditionsOf(request: FastifyRequest): Conditions {
  const conditions: Conditions = {};
  for (const [condition, name] of conditionHeaders) {
    const value = header(request, name);
    if (value !== undefined) conditions[condition] = value;
  }
  // Headers are read as Latin-1: other letters would be looked for as what they are not, and not found.
  if (/[^ -~\t]/.test(conditions.ifNoneExist ?? ''))
    throw new FhirError(400, 'value', 'If-None-Exist must be percent-encoded', 'http.If-None-Exist');
  return conditions;
}

const conditionHeaders = [
  ['ifMatch', 'if-match'],
  ['ifNoneMatch', 'if-none-match'],
  ['ifNoneExist', 'if-none-exist'],
  ['ifModifiedSince', 'if-modified-since'],
] as const;

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The query without `_format` and `_pretty`. */
export function withoutRepresentation(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((part) => part !== '' && !representation.has(part.split('=')[0]!))
    .join('&');
}
