/** RFC 2046 §5.1 and PS3.18 §8.6.1.2: a multipart answer, part after part, with a boundary nobody can foresee. */
import { randomBytes } from 'node:crypto';

export interface OutgoingPart {
  contentType: string;
  contentLocation: string;
  /** Bytes of the body. */
  length: number;
  body: AsyncIterable<Buffer>;
}

export interface MultipartWriter {
  /** Value of the answer's Content-Type. */
  contentType: string;
  /** Bytes of the whole answer made of these parts. */
  length(parts: readonly OutgoingPart[]): number;
  write(parts: AsyncIterable<OutgoingPart> | Iterable<OutgoingPart>): AsyncGenerator<Buffer>;
}

/** @param type media type of the parts, e.g. `application/dicom`. */
export function multipartWriter(type: string): MultipartWriter {
  // Random each time: a fixed text could be met inside pixels.
  const boundary = `passerelle-${randomBytes(16).toString('hex')}`;
  const opening = (part: OutgoingPart) =>
    Buffer.from(
      `--${boundary}\r\nContent-Type: ${part.contentType}\r\nContent-Length: ${part.length}\r\nContent-Location: ${part.contentLocation}\r\n\r\n`,
      'latin1',
    );
  const ending = Buffer.from('\r\n');
  const closing = Buffer.from(`--${boundary}--\r\n`);
  return {
    contentType: `multipart/related; type="${type}"; boundary=${boundary}`,
    length: (parts) =>
      parts.reduce((sum, part) => sum + opening(part).length + part.length + ending.length, closing.length),
    async *write(parts) {
      for await (const part of parts) {
        yield opening(part);
        yield* part.body;
        yield ending;
      }
      yield closing;
    },
  };
}
