/** RFC 2046 §5.1: a multipart body read as it arrives, whatever its size; no part is ever held in memory. */

/** One part. Its body must be read (or left) before the next part is asked for. */
export interface Part {
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: AsyncIterable<Buffer>;
}

/** A body that is not the multipart message it says it is. */
export class MultipartError extends Error {
  override name = 'MultipartError';
}

const maximumHeaderBytes = 16 * 1024;
const maximumPreambleBytes = 64 * 1024;
const maximumEpilogueBytes = 1024 * 1024;
/** White space a transport may add after a boundary. */
const maximumPaddingBytes = 128;
const maximumBoundaryLength = 70;

interface Scanner {
  /** Next bytes before the delimiter; undefined once it is reached. */
  next(): Promise<Buffer | undefined>;
}

/**
 * Splits a body at its boundary.
 * @throws MultipartError when the boundary is missing, a header is too long, or the body ends before the closing delimiter; errors
 * of the source as they are.
 */
export async function* readParts(source: AsyncIterable<Buffer>, boundary: string): AsyncGenerator<Part> {
  if (boundary === '' || boundary.length > maximumBoundaryLength)
    throw new MultipartError('the boundary is missing or too long');
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const chunks = source[Symbol.asyncIterator]();
  // The first delimiter may stand at the very beginning, without a line before it.
  let buffer: Buffer = Buffer.from('\r\n');
  let closed = false;

  async function pull(): Promise<Buffer> {
    const { value, done } = await chunks.next();
    if (done) throw new MultipartError('the body ends before its closing delimiter');
    return value;
  }

  async function more(): Promise<void> {
    const chunk = await pull();
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
  }

  /** Whether a delimiter begins in `rest`, which is shorter than one, and ends in `chunk`. */
  function straddles(rest: Buffer, chunk: Buffer): boolean {
    const at = Buffer.concat([rest, chunk.subarray(0, delimiter.length)]).indexOf(delimiter);
    return at !== -1 && at < rest.length;
  }

  /** What stands after a delimiter found at `at`; undefined when it only looks like one. */
  async function delimiterEnd(at: number): Promise<{ next: number; closing: boolean } | undefined> {
    const start = at + delimiter.length;
    while (buffer.length < start + 2) await more();
    if (buffer[start] === 0x2d && buffer[start + 1] === 0x2d) return { next: start + 2, closing: true };
    for (let position = start; position - start <= maximumPaddingBytes; position++) {
      while (buffer.length < position + 2) await more();
      if (buffer[position] === 0x0d && buffer[position + 1] === 0x0a) return { next: position + 2, closing: false };
      if (buffer[position] !== 0x20 && buffer[position] !== 0x09) return undefined;
    }
    return undefined;
  }

  function scan(): Scanner {
    let reached = false;
    let from = 0;
    const step = async (): Promise<Buffer | undefined> => {
      while (!reached) {
        const at = buffer.indexOf(delimiter, from);
        if (at === -1) {
          const safe = buffer.length - delimiter.length + 1;
          if (safe > 0) {
            const bytes = buffer.subarray(0, safe);
            buffer = buffer.subarray(safe);
            from = 0;
            return bytes;
          }
          const rest = buffer;
          const chunk = await pull();
          if (rest.length > 0 && chunk.length >= delimiter.length && !straddles(rest, chunk)) {
            // Given out by itself, so that the large chunk is not copied behind a few bytes.
            buffer = chunk;
            from = 0;
            return rest;
          }
          buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
          continue;
        }
        const end = await delimiterEnd(at);
        if (!end) {
          from = at + 1;
          continue;
        }
        reached = true;
        closed = end.closing;
        const bytes = buffer.subarray(0, at);
        buffer = buffer.subarray(end.next);
        if (bytes.length > 0) return bytes;
      }
      return undefined;
    };
    // A reader that gives up may still have a read under way: steps follow each other.
    let last: Promise<Buffer | undefined> = Promise.resolve(undefined);
    return { next: () => (last = last.catch(() => undefined).then(step)) };
  }

  await skip(scan(), maximumPreambleBytes, 'the boundary does not appear at the beginning of the body');
  while (!closed) {
    const headers = await readHeaders();
    const body = scan();
    yield { headers, body: bytesOf(body) };
    await skip(body, Number.POSITIVE_INFINITY, '');
  }
  let epilogue = buffer.length;
  for (let { value, done } = await chunks.next(); !done; { value, done } = await chunks.next()) {
    epilogue += value.length;
    if (epilogue > maximumEpilogueBytes) throw new MultipartError('the body goes on after its closing delimiter');
  }

  async function readHeaders(): Promise<Map<string, string>> {
    for (;;) {
      if (buffer[0] === 0x0d && buffer[1] === 0x0a) {
        buffer = buffer.subarray(2);
        return new Map();
      }
      const end = buffer.indexOf('\r\n\r\n');
      if (end !== -1 && end <= maximumHeaderBytes) {
        const text = buffer.toString('latin1', 0, end);
        buffer = buffer.subarray(end + 4);
        return parsedHeaders(text);
      }
      if (buffer.length > maximumHeaderBytes) throw new MultipartError('the header of a part is too long');
      await more();
    }
  }
}

async function* bytesOf(scanner: Scanner): AsyncGenerator<Buffer> {
  for (let bytes = await scanner.next(); bytes; bytes = await scanner.next()) yield bytes;
}

async function skip(scanner: Scanner, limit: number, message: string): Promise<void> {
  let skipped = 0;
  for (let bytes = await scanner.next(); bytes; bytes = await scanner.next()) {
    skipped += bytes.length;
    if (skipped > limit) throw new MultipartError(message);
  }
}

function parsedHeaders(text: string): Map<string, string> {
  const lines = text.replace(/\r\n[ \t]+/g, ' ').split('\r\n');
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const] : [];
    }),
  );
}
