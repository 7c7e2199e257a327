import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameDecoder, frame } from '../../../src/adapters/hl7v2/frames.ts';

const octets = (text: string) => Buffer.from(text, 'latin1');
const messages = (decoder: ReturnType<typeof createFrameDecoder>, chunk: Buffer) =>
  decoder.push(chunk).map((event) => (event.kind === 'message' ? event.bytes.toString('latin1') : 'oversized'));

/** Anything that may stand in a message: everything but the two framing octets. */
const payload = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes.map((octet) => (octet === 0x0b || octet === 0x1c ? 0x20 : octet))));
const noise = payload.map((bytes) => Buffer.from(bytes));

describe('MLLP framing', () => {
  it('yields the same messages however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(noise, payload), { maxLength: 6 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (parts, cuts) => {
          const stream = Buffer.concat(parts.flatMap(([garbage, message]) => [garbage, frame(message)]));
          const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
          const chunks = [0, ...places].map((from, index) => stream.subarray(from, places[index] ?? stream.length));
          const decoder = createFrameDecoder(1000);
          const found = chunks
            .flatMap((chunk) => decoder.push(chunk))
            .map((event) => (event.kind === 'message' ? event.bytes : undefined));
          expect(found).toEqual(parts.map(([, message]) => message));
          expect(decoder.pendingBytes).toBe(0);
        },
      ),
    );
  });

  it('finds several messages in one chunk and skips what is between them', () => {
    const decoder = createFrameDecoder(100);
    expect(messages(decoder, octets('xx\x0bA\x1c\r\r\nyy\x0bB\x1c\r\x0bC\x1c'))).toEqual(['A', 'B', 'C']);
    expect(decoder.noiseBytes).toBe(5);
  });

  it('drops an unfinished message when another one starts', () => {
    expect(messages(createFrameDecoder(100), octets('\x0bhalf\x0bwhole\x1c\r'))).toEqual(['whole']);
  });

  it('knows that a message is unfinished', () => {
    const decoder = createFrameDecoder(100);
    decoder.push(octets('\x0bMSH'));
    expect(decoder.pendingBytes).toBe(4);
  });

  it('reports a message over the limit once, with its beginning, and goes on with the next', () => {
    const decoder = createFrameDecoder(4);
    const events = [...decoder.push(octets('\x0b12345')), ...decoder.push(octets('6789\x1c\r\x0bok\x1c\r'))];
    expect(events.map((event) => event.kind)).toEqual(['oversized', 'message']);
    expect(events[0]?.kind === 'oversized' && events[0].head.toString()).toBe('1234');
  });

  it('survives any octets', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 8 }), (chunks) => {
        const decoder = createFrameDecoder(50);
        for (const chunk of chunks)
          for (const event of decoder.push(Buffer.from(chunk))) expect(event.kind).toMatch(/message|oversized/);
      }),
    );
  });
});
