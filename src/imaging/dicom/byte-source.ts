/** A file seen through one small window: headers are read, pixel data is stepped over. */
import type { ReadableFile } from '../../vault/index.ts';

/** Bytes of a file by position. Positions must be inside what `load` brought in. */
export interface ByteSource {
  /** Bytes of the file. */
  readonly size: number;
  /** Whether [at, at + length) is in memory. */
  has(at: number, length: number): boolean;
  /** Brings [at, at + length) into memory, and some of what follows: `ahead` bytes in all when the file has them. */
  load(at: number, length: number, ahead?: number): Promise<void>;
  /** A view of the window: copy what must outlive the next `load`. */
  bytes(at: number, length: number): Buffer;
}

const windowBytes = 64 * 1024;

/** @param head the file's first bytes when the caller still has them: a small header then costs no read at all. */
export function fileSource(file: ReadableFile, head: Buffer = Buffer.alloc(0)): ByteSource {
  const { size } = file;
  let window = head;
  let start = 0;
  const has = (at: number, length: number) => at >= start && at + length <= start + window.length;
  return {
    size,
    has,
    async load(at, length, ahead = windowBytes) {
      if (has(at, length)) return;
      const wanted = Math.min(Math.max(length, ahead), size - at);
      const buffer = Buffer.allocUnsafe(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await file.read(buffer, filled, wanted - filled, at + filled);
        if (bytesRead === 0) throw new Error('the stored file is shorter than it was');
        filled += bytesRead;
      }
      window = buffer;
      start = at;
    },
    bytes: (at, length) => window.subarray(at - start, at - start + length),
  };
}
