/** The vault as the rooms use it (docs/decisions/0016-vault.md). */
import type { FileHandle } from 'node:fs/promises';
import type { Transform } from 'node:stream';
import { rewrapFile } from './keeping.ts';
import type { KeyRing } from './key-ring.ts';
import { createSealed, openSealed, type ReadableFile, type SealedWriter } from './sealed-file.ts';
import { openingStream, sealingStream } from './sealed-stream.ts';
import { isStaleText, openText, sealText } from './sealed-text.ts';

/**
 * Seals and opens. Every object has a name (`blob/<tenant>/<blob>`), made of what its owner knows without reading the object: it is
 * bound to the object, which does not open under another one. All methods that open throw `VaultError`.
 */
export interface Vault {
  readonly ring: KeyRing;
  /** Seals into an empty file, from front to back. */
  create(file: FileHandle, name: string): SealedWriter;
  /** Opens a sealed file for reading anywhere; closing the result closes the file. */
  open(file: FileHandle, name: string): Promise<ReadableFile>;
  /** Content in, sealed object out. */
  sealing(name: string): Transform;
  /** Sealed object in, verified content out; the stream fails when the object is not whole. */
  opening(name: string): Transform;
  /** A small secret as a text for the database. */
  sealText(name: string, text: string): string;
  openText(name: string, sealed: string): string;
  /** Sealed with an older key than the current one: to be sealed again by who keeps it. */
  isStaleText(sealed: string): boolean;
  /** Wraps the data key of a sealed file with the current master key. @returns false when it was. */
  rewrap(path: string, name: string): Promise<boolean>;
}

export function createVault(ring: KeyRing): Vault {
  return {
    ring,
    create: (file, name) => createSealed(ring, file, name),
    open: (file, name) => openSealed(ring, file, name),
    sealing: (name) => sealingStream(ring, name),
    opening: (name) => openingStream(ring, name),
    sealText: (name, text) => sealText(ring, name, text),
    openText: (name, sealed) => openText(ring, name, sealed),
    isStaleText: (sealed) => isStaleText(ring, sealed),
    rewrap: (path, name) => rewrapFile(ring, path, name),
  };
}
