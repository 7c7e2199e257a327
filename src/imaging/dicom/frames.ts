/** PS3.18 §10.4 (frames): the bytes of one frame, streamed out of its file. */
import type { ReadableFile } from '../../vault/index.ts';
import { readRange } from './file-range.ts';
import type { PixelLayout } from './pixels.ts';

/** Bytes of frame `number` (1 is the first) as it is sent; undefined when there is no such frame. */
export function frameLength(layout: PixelLayout, number: number): number | undefined {
  if (!Number.isInteger(number) || number < 1 || number > layout.frames) return undefined;
  const fragments = layout.encapsulated?.[number - 1];
  if (fragments) return fragments.reduce((sum, value, index) => (index % 2 === 1 ? sum + value : sum), 0);
  return layout.native && Math.ceil(layout.native.frameBits / 8);
}

/**
 * The bytes of frame `number`: native ones in little endian order and beginning on a byte, compressed ones as one codestream
 * without the items around its fragments.
 */
export async function* readFrame(file: ReadableFile, layout: PixelLayout, number: number): AsyncGenerator<Buffer> {
  const fragments = layout.encapsulated?.[number - 1];
  if (fragments) {
    for (let at = 0; at + 1 < fragments.length; at += 2)
      yield* readRange(file, fragments[at] ?? 0, fragments[at + 1] ?? 0);
    return;
  }
  const { native } = layout;
  if (!native) return;
  const firstBit = (number - 1) * native.frameBits;
  if (native.frameBits % 8 !== 0) {
    yield await shiftedFrame(file, native.offset, firstBit, native.frameBits);
    return;
  }
  const length = Math.ceil(native.frameBits / 8);
  for await (const chunk of readRange(file, native.offset + firstBit / 8, length)) {
    yield native.swap && chunk.length % 2 === 0 ? chunk.swap16() : chunk;
  }
}

/** A frame of single bits that begins or ends inside a byte (PS3.5 §8.1.1: the first pixel is the lowest bit). */
async function shiftedFrame(file: ReadableFile, offset: number, firstBit: number, bits: number): Promise<Buffer> {
  const shift = firstBit % 8;
  const start = offset + Math.floor(firstBit / 8);
  const chunks: Buffer[] = [];
  for await (const chunk of readRange(file, start, Math.ceil((shift + bits) / 8))) chunks.push(chunk);
  const packed = Buffer.concat(chunks);
  const frame = Buffer.alloc(Math.ceil(bits / 8));
  for (let index = 0; index < frame.length; index++) {
    frame[index] = ((packed[index] ?? 0) >>> shift) | ((packed[index + 1] ?? 0) << (8 - shift));
  }
  const spare = frame.length * 8 - bits;
  if (spare > 0) frame[frame.length - 1] = (frame.at(-1) ?? 0) & (0xff >>> spare);
  return frame;
}
