/** What a request must pass before its body is read: who asks, for which representation, with which (https://hl7.org/fhir/R4/http.html#mime-type). */
import type { FastifyRequest } from 'fastify';
import { type Context, FhirError } from '../contract.ts';
import type { Address, Interaction, Service } from './call.ts';
import { isJson, mediaType, requireJsonAccepted, wantsFhirByName } from './negotiation.ts';

export type Caller = Pick<Context, 'tenant' | 'actor'>;

/** A request let in. */
export interface Admission {
  /** Undefined for public interactions. */
  caller?: Caller;
  /** Undefined for `POST [base]`: the Bundle's type tells. */
  target?: { interaction: Interaction; address: Address };
  /** The resource is a Binary, and travels as the file it carries: in the body, in the answer. */
  isRawRequest: boolean;
  isRawAnswer: boolean;
}

const formType = 'application/x-www-form-urlencoded';

/** @throws FhirError 401, 403, 404, 405, 406, 415. */
export async function admit(
  request: FastifyRequest,
  path: string,
  format: string | undefined,
  service: Service,
): Promise<Admission> {
  const isBundle = request.method === 'POST' && path === '';
  // Who may not ask anything is not told which addresses exist.
  const isPublic = (request.method === 'GET' || request.method === 'HEAD') && path === 'metadata';
  const caller = isPublic ? undefined : await service.guards.authenticate(request);
  const { tenant } = request.params as { tenant?: string };
  if (caller && tenant !== undefined && tenant !== caller.tenant)
    throw new FhirError(403, 'forbidden', 'not your tenant');
  const target = isBundle ? undefined : service.resolve(request.method === 'HEAD' ? 'GET' : request.method, path);
  const isBinary = target?.address.type === 'Binary';
  const code = target?.interaction.code;
  const { accept } = request.headers;
  const isRawAnswer = isBinary && (code === 'read' || code === 'vread') && !wantsFhirByName(accept, format);
  if (!isRawAnswer) requireJsonAccepted(accept, format);
  return {
    ...(caller ? { caller } : {}),
    ...(target ? { target } : {}),
    isRawAnswer,
    isRawRequest: requireContentType(
      request,
      isBinary && (code === 'create' || code === 'update'),
      path.endsWith('/_search'),
    ),
  };
}

/** @returns true when the body is the raw content of a Binary. @throws FhirError 415. */
function requireContentType(request: FastifyRequest, takesRaw: boolean, takesForm: boolean): boolean {
  const contentType = request.headers['content-type'];
  if (!hasBody(request) || isJson(contentType)) return false;
  if (takesRaw && contentType !== undefined) return true;
  if (takesForm && mediaType(contentType) === formType) return false;
  throw new FhirError(
    415,
    'not-supported',
    takesForm ? `a search is posted as ${formType}` : 'only application/fhir+json is understood',
  );
}

function hasBody(request: FastifyRequest): boolean {
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
