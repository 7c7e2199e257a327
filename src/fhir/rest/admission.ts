/** What a request must pass before its body is read: who asks, for which representation, with which (https://hl7.org/fhir/R4/http.html#mime-type). */
import type { FastifyRequest } from 'fastify';
import { FhirError, type FhirGuards } from '../contract.ts';
import type { Address, Interaction, Service } from './call.ts';
import {
  type Format,
  fhirJson,
  fhirXml,
  formatOfContent,
  mediaType,
  negotiate,
  wantsFhirByName,
} from './negotiation.ts';

export type Caller = Awaited<ReturnType<FhirGuards['authenticate']>>;

/** What the body is: a resource (or a JSON Patch) in JSON or XML, the form of a search, the file of a Binary, a GraphQL query. */
export type BodyFormat = 'json' | 'xml' | 'form' | 'raw' | 'graphql';

/** A request let in. */
export interface Admission {
  /** Undefined for public interactions. */
  caller?: Caller;
  /** Undefined for `POST [base]`, where the Bundle's type tells, and for the start page. */
  target?: { interaction: Interaction; address: Address };
  /** Undefined when there is no body. */
  bodyFormat?: BodyFormat;
  /** How the answer is written; `raw` for the file a Binary carries. */
  format: Format | 'raw';
}

const formType = 'application/x-www-form-urlencoded';

/**
 * @param format parameter `_format`.
 * @throws FhirError 401, 403, 404, 405, 406, 415.
 */
export async function admit(
  request: FastifyRequest,
  path: string,
  format: string | undefined,
  service: Service,
): Promise<Admission> {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  // Who may not ask anything is not told which addresses exist.
  const isPublic = method === 'GET' && path === 'metadata';
  const caller = isPublic ? undefined : await service.guards.authenticate(request);
  const { tenant } = request.params as { tenant?: string };
  if (caller && tenant !== undefined && tenant !== caller.tenant)
    throw new FhirError(403, 'forbidden', 'not your tenant');
  const { accept } = request.headers;
  const negotiated = negotiate(accept, format);
  const identified = caller ? { caller } : {};
  if (path === '' && method === 'GET' && negotiated === 'html' && isStart(request))
    return { ...identified, format: 'html' };
  const target = path === '' && method === 'POST' ? undefined : service.resolve(method, path);
  const bodyFormat = requireContentType(request, target);
  return {
    ...identified,
    ...(target ? { target } : {}),
    ...(bodyFormat ? { bodyFormat } : {}),
    format: isRawAnswer(target, accept, format) ? 'raw' : required(negotiated, target),
  };
}

/** A browser at the base that searches nothing. */
function isStart(request: FastifyRequest): boolean {
  return Object.keys(request.query as object).every((name) => name === '_format' || name === '_pretty');
}

function isRawAnswer(target: Admission['target'], accept: string | undefined, format: string | undefined): boolean {
  const code = target?.interaction.code;
  return target?.address.type === 'Binary' && (code === 'read' || code === 'vread') && !wantsFhirByName(accept, format);
}

/** @throws FhirError 406 when nothing of ours will do. */
function required(negotiated: Format | undefined, target: Admission['target']): Format {
  if (negotiated) return negotiated;
  // An operation may answer something that is no resource (NDJSON, GraphQL): it alone knows whether that will do.
  if (target?.interaction.code === 'operation') return 'json';
  throw new FhirError(406, 'not-supported', `only ${fhirJson} and ${fhirXml} are served`);
}

/** @throws FhirError 415. */
function requireContentType(request: FastifyRequest, target: Admission['target']): BodyFormat | undefined {
  if (!hasBody(request)) return undefined;
  const contentType = request.headers['content-type'];
  const type = mediaType(contentType);
  const code = target?.interaction.code;
  const isBinary = target?.address.type === 'Binary' && (code === 'create' || code === 'update');
  const format = formatOfContent(contentType);
  // XML that is not said to be FHIR is a file, as a CDA is.
  const isFile = format === undefined || type === 'application/xml' || type === 'text/xml';
  if (isBinary && isFile && type !== undefined) return 'raw';
  if (!isUtf8(contentType)) throw new FhirError(415, 'not-supported', 'only UTF-8 is understood');
  if (format) return format;
  const isSearch = request.url.split('?')[0]!.endsWith('/_search');
  if (isSearch && type === formType) return 'form';
  if (target?.address.operation === 'graphql' && type === 'application/graphql') return 'graphql';
  if (request.method === 'PATCH' && type === 'application/json-patch+json') return 'json';
  const understood = isSearch ? `a search is posted as ${formType}` : `only ${fhirJson} and ${fhirXml} are understood`;
  throw new FhirError(415, 'not-supported', understood);
}

/** A text in another character set would be read wrongly; the charset of a file is its own affair. */
function isUtf8(contentType: string | undefined): boolean {
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(contentType ?? '')?.[1];
  return charset === undefined || /^(?:utf-?8|us-ascii)$/i.test(charset);
}

function hasBody(request: FastifyRequest): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
