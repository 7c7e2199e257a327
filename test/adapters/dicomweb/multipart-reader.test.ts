import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MultipartError, readParts } from '../../../src/adapters/dicomweb/multipart-reader.ts';

interface Read {
  headers: Record<string, string>;
  body: Buffer;
}

async function* chunked(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes.length > 0 ? (sizes[index % sizes.length] ?? 1) : bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function readAll(bytes: Buffer, boundary: string, sizes: readonly number[] = []): Promise<Read[]> {
  const all: Read[] = [];
  for await (const part of readParts(chunked(bytes, sizes), boundary)) {
    const chunks: Buffer[] = [];
    for await (const chunk of part.body) chunks.push(Buffer.from(chunk));
    all.push({ headers: Object.fromEntries(part.headers), body: Buffer.concat(chunks) });
  }
  return all;
}

const boundaries = fc.stringMatching(/^[A-Za-z0-9'()+_,./:=?-]{1,70}$/);
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

describe('the multipart reader', () => {
  it('gives back every body byte for byte, however the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        boundaries,
        fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 }),
        sizes,
        async (boundary, bodies, cuts) => {
          // A body cannot hold its own delimiter; one that looks like it must pass.
          const parts = bodies.map((body) =>
            Buffer.concat([Buffer.from(body), Buffer.from(`\r\n--${boundary.slice(0, -1)}`)]),
          );
          const usable = parts.filter((body) => !body.includes(`\r\n--${boundary}`));
          const message = Buffer.concat([
            ...usable.flatMap((body, index) => [
              Buffer.from(`--${boundary}\r\nX-Number: ${index}\r\n\r\n`),
              body,
              Buffer.from('\r\n'),
            ]),
            Buffer.from(`--${boundary}--`),
          ]);
          const read = await readAll(message, boundary, cuts);
          expect(read.map(({ body }) => body.toString('hex'))).toEqual(usable.map((body) => body.toString('hex')));
          expect(read.map(({ headers }) => headers['x-number'])).toEqual(usable.map((_, index) => String(index)));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('refuses every truncation of a message, and never reports a part too many', async () => {
    const message = Buffer.from('--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--');
    for (let length = 0; length < message.length; length++) {
      await expect(readAll(message.subarray(0, length), 'b', [3]), `${length} bytes`).rejects.toBeInstanceOf(
        MultipartError,
      );
    }
    expect(await readAll(message, 'b', [3])).toHaveLength(2);
  });

  it('skips text before the first boundary and after the last', async () => {
    const read = await readAll(Buffer.from('preamble\r\nmore\r\n--x\r\n\r\nbody\r\n--x--\r\nepilogue'), 'x', [5]);
    expect(read.map(({ body }) => body.toString())).toEqual(['body']);
  });

  it('takes a longer boundary for content', async () => {
    const read = await readAll(Buffer.from('--x\r\n\r\na\r\n--xy\r\nb\r\n--x \t\r\n\r\nc\r\n--x--'), 'x', [1]);
    expect(read.map(({ body }) => body.toString())).toEqual(['a\r\n--xy\r\nb', 'c']);
  });

  it('goes to the next part when a body is left unread', async () => {
    const seen: string[] = [];
    for await (const part of readParts(
      chunked(Buffer.from('--x\r\nN: 1\r\n\r\nlong body\r\n--x\r\nN: 2\r\n\r\nother\r\n--x--'), [2]),
      'x',
    )) {
      seen.push(part.headers.get('n') ?? '');
    }
    expect(seen).toEqual(['1', '2']);
  });

  it('joins folded headers and lowers their names', async () => {
    const [part] = await readAll(
      Buffer.from('--x\r\nCONTENT-type: application/dicom;\r\n transfer-syntax=1\r\n\r\nb\r\n--x--'),
      'x',
    );
    expect(part?.headers).toEqual({ 'content-type': 'application/dicom; transfer-syntax=1' });
  });

  it('bounds the header of a part, the preamble and the epilogue', async () => {
    const long = 'x'.repeat(2_000_000);
    await expect(readAll(Buffer.from(`--x\r\nA: ${long}\r\n\r\nb\r\n--x--`), 'x', [4096])).rejects.toThrow(
      'header of a part',
    );
    await expect(readAll(Buffer.from(`${long}\r\n--x\r\n\r\nb\r\n--x--`), 'x', [4096])).rejects.toThrow(
      'boundary does not appear',
    );
    await expect(readAll(Buffer.from(`--x\r\n\r\nb\r\n--x--${long}`), 'x', [4096])).rejects.toThrow('goes on after');
  });

  it('refuses a boundary of more than 70 characters, and an empty one', async () => {
    await expect(readAll(Buffer.from(''), 'x'.repeat(71))).rejects.toBeInstanceOf(MultipartError);
    await expect(readAll(Buffer.from(''), '')).rejects.toBeInstanceOf(MultipartError);
  });
});
