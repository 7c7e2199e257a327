/** RFC 9110 §8.4: JSON answers compressed when the client says it can read them so. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';

const gzipText = promisify(gzip);
const worthwhileBytes = 1400;
/** Fast: on a local network a better ratio costs more than it saves. */
export const gzipLevel = 1;

export function takesGzip(request: FastifyRequest): boolean {
  const header = request.headers['accept-encoding'];
  const accepted = (Array.isArray(header) ? header.join(',') : (header ?? '')).toLowerCase();
  return accepted.split(',').some((one) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/.test(one));
}

/** Sends a text already in memory. */
export async function sendText(request: FastifyRequest, reply: FastifyReply, text: string): Promise<FastifyReply> {
  reply.header('vary', 'accept-encoding');
  if (text.length < worthwhileBytes || !takesGzip(request)) return reply.send(text);
  return reply.header('content-encoding', 'gzip').send(await gzipText(text, { level: gzipLevel }));
}
