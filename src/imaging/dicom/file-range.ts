/** A range of a file as a stream of buffers, each its reader's own. */
import type { ReadableFile } from '../../vault/index.ts';

/** Even, so that a chunk never cuts a 16-bit word. */
const chunkBytes = 512 * 1024;

/** @throws when the file ends before the range does. */
export async function* readRange(file: ReadableFile, offset: number, length: number): AsyncGenerator<Buffer> {
  let position = offset;
  const end = offset + length;
  while (position < end) {
    const wanted = Math.min(chunkBytes, end - position);
    const buffer = Buffer.allocUnsafe(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await file.read(buffer, filled, wanted - filled, position + filled);
      if (bytesRead === 0) throw new Error('a stored file is shorter than its index says');
      filled += bytesRead;
    }
    position += wanted;
    yield buffer;
  }
}
