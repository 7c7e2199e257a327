/** Bodies made smaller for the way (RFC 9110 §8.4): answers when the caller takes it, requests inflated within a bound. */
import type { IncomingHttpHeaders } from 'node:http';
import { pipeline, Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  brotliCompress,
  constants,
  createBrotliCompress,
  createBrotliDecompress,
  createGunzip,
  createGzip,
  createInflate,
  gzip,
} from 'node:zlib';
import { FhirError } from '../contract.ts';

export type ContentEncoding = 'br' | 'gzip';

/** Below this, compressing costs more than it saves. */
export const compressedFromBytes = 4096;

/** Both at a speed of about 50 MB/s: brotli's own default is a hundred times slower. */
const brotliOptions = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
};
const gzipOptions = { level: 5 };

const gzipAsync = promisify(gzip) as (data: Buffer | string, options: object) => Promise<Buffer>;
const brotliAsync = promisify(brotliCompress) as (data: Buffer | string, options: object) => Promise<Buffer>;

/** The coding to answer in, as `Accept-Encoding` weighs them; undefined for none. */
export function acceptedEncoding(header: string | string[] | undefined): ContentEncoding | undefined {
  const weightOf = weightsOf(header);
  const [br, gz] = [weightOf('br'), weightOf('gzip')];
  if (!(br > 0) && !(gz > 0)) return undefined;
  return br >= gz ? 'br' : 'gzip';
}

/** Of what is kept in gzip only: whether the client takes it so. */
export function takesGzip(header: string | string[] | undefined): boolean {
  return weightsOf(header)('gzip') > 0;
}

/** What a client thinks of a coding, 0 for not taken (RFC 9110 §12.5.3). */
function weightsOf(header: string | string[] | undefined): (coding: string) => number {
  if (typeof header !== 'string') return () => 0;
  const weights = new Map<string, number>();
  for (const part of header.split(',')) {
    const [name, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    weights.set(name!, weight === undefined ? 1 : Number(weight));
  }
  return (name) => weights.get(name) ?? weights.get('*') ?? 0;
}

export function compress(data: string | Buffer, encoding: ContentEncoding): Promise<Buffer> {
  return encoding === 'br' ? brotliAsync(data, brotliOptions) : gzipAsync(data, gzipOptions);
}

export function compressStream(source: Readable, encoding: ContentEncoding): Readable {
  const target = encoding === 'br' ? createBrotliCompress(brotliOptions) : createGzip(gzipOptions);
  // What goes wrong ends both; the receiver of the target is told.
  return pipeline(source, target, () => undefined);
}

/**
 * The body of a request as it was before it was encoded. @throws FhirError 415 for a coding we do not know; reading it throws 413 beyond
 * the limit (a small body may inflate to a thousand times its size), 400 for what is not in that coding.
 */
export function decodeBody(headers: IncomingHttpHeaders, payload: Readable, limitBytes: number): Readable {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return payload;
  const decoder = decoderOf(encoding);
  // Fastify compares this property with Content-Length.
  const decoded = Object.assign(Readable.from(inflated(payload, decoder, limitBytes), { objectMode: false }), {
    receivedEncodedLength: 0,
  });
  // Whoever reads is told; before somebody does, an error would end the process.
  decoder.on('error', () => undefined);
  payload.once('error', (error) => decoder.destroy(error));
  payload.once('close', () => payload.readableEnded || decoder.destroy(new Error('the request ended early')));
  payload.on('data', (chunk: Buffer) => {
    decoded.receivedEncodedLength += chunk.length;
  });
  payload.pipe(decoder);
  return decoded;
}

/** The payload itself is left open: its connection carries the answer. */
async function* inflated(payload: Readable, decoder: Transform, limitBytes: number): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limitBytes) throw new FhirError(413, 'too-long', 'the body is larger than this server takes');
      yield chunk;
    }
  } catch (error) {
    payload.unpipe(decoder);
    if (error instanceof FhirError) throw error;
    throw new FhirError(400, 'structure', 'the body is not in the coding that Content-Encoding names');
  }
}

function decoderOf(encoding: string): Transform {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'deflate':
      return createInflate();
    default:
      throw new FhirError(415, 'not-supported', 'bodies are understood as they are, or in gzip, br or deflate');
  }
}
