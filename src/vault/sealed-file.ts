/** Sealed objects as files: written once from front to back, read anywhere. */
import type { FileHandle } from 'node:fs/promises';
import { checkEnd, frameSealer, measured, openFrame, tagBytes } from './frames.ts';
import type { KeyRing } from './key-ring.ts';
import { frameBytes, headerBytes, newHeader, type ObjectHeader, readHeader } from './object-header.ts';
import { damaged } from './vault-error.ts';

/** What can be read anywhere: a sealed file, or (in part) a `FileHandle`. */
export interface ReadableFile {
  /** Bytes of content. */
  readonly size: number;
  /** Fills `buffer` from `offset` with up to `length` bytes of the content at `position`; 0 only at the end. */
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}

export interface SealedWriter {
  write(chunks: readonly Buffer[]): Promise<void>;
  /** Completes the object and opens it for reading on the same handle. Nothing of it is readable before. */
  finish(): Promise<ReadableFile>;
}

/** Ciphertext read and opened at a time. */
const batchFrames = 8;

/** Seals into an empty file. Making it durable and closing it are the caller's. */
export function createSealed(ring: KeyRing, file: FileHandle, name: string): SealedWriter {
  const { bytes, dataKey } = newHeader(ring, name);
  const sealer = frameSealer(dataKey, frameBytes);
  let head: Buffer[] = [bytes];
  const write = async (pieces: Buffer[]) => {
    const all = [...head, ...pieces];
    head = [];
    await writeAll(file, all);
  };
  return {
    write: (chunks) => write(chunks.flatMap((chunk) => sealer.push(chunk))),
    async finish() {
      await write(sealer.end());
      const frames = Math.ceil(sealer.size / frameBytes);
      return reader(file, { dataKey, frameBytes }, frames, sealer.size);
    },
  };
}

/**
 * Opens a sealed file: key and length are verified here, each frame when it is read. Closing the result closes `file`.
 * @throws VaultError
 */
export async function openSealed(ring: KeyRing, file: FileHandle, name: string): Promise<ReadableFile> {
  const { size: bytes } = await file.stat();
  const header = readHeader(ring, name, await readExactly(file, 0, Math.min(headerBytes, bytes)));
  const { frames, size } = measured(bytes - headerBytes - tagBytes, header.frameBytes);
  checkEnd(header.dataKey, frames, size, await readExactly(file, bytes - tagBytes, tagBytes));
  return reader(file, header, frames, size);
}

function reader(
  file: FileHandle,
  { dataKey, frameBytes: perFrame }: Pick<ObjectHeader, 'dataKey' | 'frameBytes'>,
  frames: number,
  size: number,
): ReadableFile {
  /** The frame a read ended in: the next one mostly goes on there. */
  let kept: { index: number; content: Buffer } | undefined;

  async function* contents(first: number, last: number): AsyncGenerator<{ index: number; content: Buffer }> {
    for (let index = first; index <= last; ) {
      if (kept?.index === index) {
        yield kept;
        index++;
        continue;
      }
      const until = Math.min(last + 1, index + batchFrames);
      const at = headerBytes + index * (perFrame + tagBytes);
      const end = headerBytes + (until === frames ? size + frames * tagBytes : until * (perFrame + tagBytes));
      const sealed = await readExactly(file, at, end - at);
      for (let start = 0; index < until; index++, start += perFrame + tagBytes) {
        kept = { index, content: openFrame(dataKey, index, sealed.subarray(start, start + perFrame + tagBytes)) };
        yield kept;
      }
    }
  }

  return {
    size,
    async read(buffer, offset, length, position) {
      const wanted = Math.min(length, size - position);
      if (wanted <= 0) return { bytesRead: 0 };
      const first = Math.floor(position / perFrame);
      let filled = 0;
      for await (const { index, content } of contents(first, Math.floor((position + wanted - 1) / perFrame))) {
        const from = Math.max(0, position - index * perFrame);
        filled += content.copy(buffer, offset + filled, from, Math.min(content.length, from + wanted - filled));
      }
      return { bytesRead: filled };
    },
    close: () => file.close(),
  };
}

/** @throws VaultError `damaged` when the file ends before. */
async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) throw damaged();
    filled += bytesRead;
  }
  return buffer;
}

/** A write may take only part of what it is given. */
async function writeAll(file: FileHandle, pieces: Buffer[]): Promise<void> {
  const total = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (total === 0) return;
  const { bytesWritten: first } = await file.writev(pieces);
  if (first === total) return;
  let rest = Buffer.concat(pieces).subarray(first);
  while (rest.length > 0) {
    const { bytesWritten } = await file.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}
