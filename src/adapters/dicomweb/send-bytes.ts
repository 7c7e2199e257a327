/** An answer out of an open file: small ones in one piece, large ones streamed; the file is closed in every case. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { ReadableFile } from '../../imaging/index.ts';
import { collected } from './collected.ts';

/** A CT frame is half of this: one buffer is faster than a stream, and bounded. */
const inOnePieceBytes = 1024 * 1024;

/** Sends exactly `length` bytes made by `bytes`, which reads `file`. */
export async function sendBytes(
  reply: FastifyReply,
  file: ReadableFile,
  length: number,
  bytes: AsyncGenerator<Buffer>,
): Promise<FastifyReply> {
  if (length <= inOnePieceBytes) {
    try {
      return reply.send(Buffer.concat(await collected(bytes)));
    } finally {
      await file.close();
    }
  }
  reply.header('content-length', length);
  const stream = Readable.from(bytes, { objectMode: false });
  // Not in a `finally` of the generator: that of a stream never read would not run.
  stream.once('close', () => void file.close().catch(() => undefined));
  return reply.send(stream);
}
