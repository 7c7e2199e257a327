/**
 * Answers where no route is: a request that is no HTTP, that comes too slowly, or whose handler failed without a word. They carry the
 * headers of all others and tell nothing of the inside.
 */
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { http } from '../config/index.ts';
import { FhirError } from '../fhir/index.ts';
import { securityHeadersOf } from './security-headers.ts';

/** Node's name of what is wrong with a request → status. */
const statuses: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** For Fastify's `clientErrorHandler`: the parser gave up. */
export function answerUnreadable(secure: boolean): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    endConnection(socket, statuses[error.code ?? ''] ?? 400, secure);
  };
}

/** Says why, when something can still be said, and ends the connection. */
export function endConnection(socket: Socket, status: number, secure: boolean): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify(outcomeOf(status));
  const headers = {
    ...securityHeadersOf(secure),
    'content-type': 'application/fhir+json; charset=utf-8',
    'content-length': String(body.length),
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}`, ...lines].join('\r\n');
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

/** The error handler of routes that have none of their own. */
export function answerFailure(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const told = 'statusCode' in error && error.statusCode !== undefined && error.statusCode < 500;
  const status = error instanceof FhirError ? error.status : told ? error.statusCode! : 500;
  if (status >= 500) request.log.error({ error: error.name, requestId: request.id }, 'a request failed');
  return reply
    .code(status)
    .type('application/fhir+json; charset=utf-8')
    .send(JSON.stringify(error instanceof FhirError ? error.outcome : outcomeOf(status)));
}

/** For Fastify's `frameworkErrors`: an address that cannot be read is met before any hook. */
export function answerUnroutable(
  secure: boolean,
): (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => void answerFailure(error, request, reply.headers(securityHeadersOf(secure)));
}

const codes: Readonly<Record<number, 'timeout' | 'too-long' | 'not-found' | 'exception'>> = {
  404: 'not-found',
  408: 'timeout',
  413: 'too-long',
  431: 'too-long',
  500: 'exception',
};

function outcomeOf(status: number) {
  return new FhirError(status, codes[status] ?? 'structure', http.STATUS_CODES[status] ?? 'refused').outcome;
}
