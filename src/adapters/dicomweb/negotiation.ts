/** PS3.18 §8.7: which representation of an object a client takes, out of those that can be made of what is stored. */
import type { FastifyRequest } from 'fastify';
import { explicitLittleEndian, type ServedInstance, transferSyntaxOf } from '../../imaging/index.ts';
import { DicomwebError } from './errors.ts';
import { acceptedTypes, covers, type MediaType } from './media-type.ts';

export const dicomType = 'application/dicom';
export const octetStream = 'application/octet-stream';
export const dicomJson = 'application/dicom+json';
const multipart = 'multipart/related';

/** What the request accepts, best first. */
export function acceptedBy(request: FastifyRequest): MediaType[] {
  const { accept } = request.query as { accept?: string | string[] };
  return acceptedTypes(request.headers.accept, Array.isArray(accept) ? accept.join(',') : accept);
}

/** @throws DicomwebError 406 when JSON is not wanted. */
export function requireJson(request: FastifyRequest): void {
  const wanted = acceptedBy(request);
  const takes = wanted.some(({ type }) => covers(type, dicomJson) || covers(type, 'application/json'));
  if (!takes) throw notAcceptable(`Cette ressource est servie en ${dicomJson}.`);
}

/**
 * How to send whole instances: as stored, in one multipart answer, or (one instance alone) as a single part.
 * @throws DicomwebError 406 when only another transfer syntax is wanted: the bytes received are the bytes served.
 */
export function instanceForm(
  request: FastifyRequest,
  instances: readonly ServedInstance[],
  single: boolean,
): 'multipart' | 'single' {
  for (const wanted of acceptedBy(request)) {
    const syntax = wanted.parameters['transfer-syntax'];
    if (syntax !== undefined && syntax !== '*' && !instances.every(({ transferSyntax }) => transferSyntax === syntax))
      continue;
    if (wanted.type === dicomType && single) return 'single';
    if (covers(wanted.type, multipart) && covers(wanted.parameters.type?.toLowerCase() ?? dicomType, dicomType))
      return 'multipart';
  }
  throw notAcceptable(
    `Les instances sont servies telles que reçues : multipart/related; type="${dicomType}"; transfer-syntax=*` +
      `${single ? `, ou ${dicomType}` : ''}.`,
  );
}

/** How to send frames: which media type each has, its transfer syntax, and whether in one multipart answer. */
export interface FrameForm {
  type: string;
  transferSyntax: string;
  single: boolean;
}

/**
 * Native frames are octets in little endian order; compressed ones are sent as they are, under their own media type, or as octets
 * to a client that takes any transfer syntax.
 * @throws DicomwebError 406 when the client takes nothing of that.
 */
export function frameForm(request: FastifyRequest, instance: ServedInstance, frames: number): FrameForm {
  const stored = transferSyntaxOf(instance.transferSyntax);
  const native = !stored?.encapsulated;
  const transferSyntax = native ? explicitLittleEndian : instance.transferSyntax;
  const own = stored?.frameType ?? octetStream;
  for (const wanted of acceptedBy(request)) {
    const single = wanted.type !== multipart && wanted.type !== '*/*';
    if (single && frames > 1) continue;
    const range = plainName(single ? wanted.type : (wanted.parameters.type?.toLowerCase() ?? '*/*'));
    const syntax = wanted.parameters['transfer-syntax'];
    const anySyntax = syntax === '*' || syntax === instance.transferSyntax || syntax === transferSyntax;
    if (syntax !== undefined && !anySyntax) continue;
    if (own !== octetStream && covers(range, plainName(own))) return { type: own, transferSyntax, single };
    if (covers(range, octetStream) && (native || anySyntax)) return { type: octetStream, transferSyntax, single };
  }
  throw notAcceptable(
    native
      ? `Ces images sont servies en ${octetStream} (${explicitLittleEndian}).`
      : `Ces images sont compressées et servies telles quelles : ${own}, ou ${octetStream}; transfer-syntax=*.`,
  );
}

/** Clients and editions of the standard write the same formats with and without `x-`, and HTJ2K in three ways. */
function plainName(type: string): string {
  const plain = type.replace('/x-', '/');
  return plain === 'image/jhc' || plain === 'image/jph' ? 'image/jphc' : plain;
}

/** @throws DicomwebError 406 unless PNG is wanted. */
export function requirePng(request: FastifyRequest): void {
  if (!acceptedBy(request).some(({ type }) => covers(type, 'image/png'))) {
    throw notAcceptable('Les images affichables sont servies en image/png.');
  }
}

export function notAcceptable(message: string): DicomwebError {
  return new DicomwebError(406, message);
}
