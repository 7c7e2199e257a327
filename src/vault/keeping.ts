/** What is done to sealed files without reading their content: a new wrapping after a rotation, and destruction. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import type { KeyRing } from './key-ring.ts';
import { headerBytes, keyIdOf, placeBytes, readHeader, rewrappedPlace } from './object-header.ts';

/**
 * Wraps the data key of a file with the current master key; the content is not touched, readers are not disturbed.
 * @returns false when it was already.
 * @throws VaultError
 */
export async function rewrapFile(ring: KeyRing, path: string, name: string): Promise<boolean> {
  const file = await open(path, 'r+');
  try {
    const header = readHeader(ring, name, await head(file));
    if (header.keyId === ring.current().id) return false;
    const { bytes, at, oldAt } = rewrappedPlace(ring, name, header);
    await file.write(bytes, 0, bytes.length, at);
    // The old wrapping goes only when the new one is safe; it goes because its master key may be known to others.
    await file.datasync();
    await file.write(Buffer.alloc(placeBytes), 0, placeBytes, oldAt);
    await file.datasync();
    return true;
  } finally {
    await file.close();
  }
}

/** Id of the master key a file is sealed with. @throws VaultError */
export async function fileKeyId(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    return keyIdOf(await head(file));
  } finally {
    await file.close();
  }
}

/**
 * Removes a file for good: its wrapped data key is overwritten first, so that blocks of content the file system still holds cannot be
 * opened. A disk that remaps blocks may keep an old copy of the header: then the master key is what must go.
 */
export async function destroyFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.write(randomBytes(headerBytes), 0, headerBytes, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await unlink(path);
}

async function head(file: FileHandle): Promise<Buffer> {
  const buffer = Buffer.alloc(headerBytes);
  const { bytesRead } = await file.read(buffer, 0, headerBytes, 0);
  return buffer.subarray(0, bytesRead);
}
