/**
 * The first 256 bytes of a sealed object: what it is, and its data key wrapped by a master key. There are two places for the wrapped
 * key, so that rewrapping writes the free one and a crash in the middle leaves the other.
 *
 * | bytes | |
 * |---|---|
 * | 0-7 | `PSVAULT1` |
 * | 8-11 | bytes of content per frame, big endian |
 * | 12-31 | zero |
 * | 32-143, 144-255 | places: generation (4; 0: empty), key id (16, ASCII, zero-padded), nonce (12), wrapped key (32), tag (16), zero |
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type KeyRing, keyBytes } from './key-ring.ts';
import { damaged, VaultError } from './vault-error.ts';

export const headerBytes = 256;
/** Content per frame: small enough to reach into an object, large enough that the tag and the call cost nothing. */
export const frameBytes = 64 * 1024;
const magic = Buffer.from('PSVAULT1', 'latin1');
const placeStarts = [32, 144] as const;
export const placeBytes = 112;
const maximumFrameBytes = 16 * 1024 * 1024;
const idBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

export interface ObjectHeader {
  dataKey: KeyObject;
  /** Master key that wraps the data key. */
  keyId: string;
  frameBytes: number;
  generation: number;
  /** Index of the place in use. */
  place: 0 | 1;
}

/** A header with a new data key. @param name what the object is called: under another name it does not open. */
export function newHeader(ring: KeyRing, name: string): { bytes: Buffer; dataKey: KeyObject } {
  const key = randomBytes(keyBytes);
  const bytes = Buffer.alloc(headerBytes);
  magic.copy(bytes);
  bytes.writeUInt32BE(frameBytes, 8);
  wrapped(ring, name, key, frameBytes, 1).copy(bytes, placeStarts[0]);
  return { bytes, dataKey: createSecretKey(key) };
}

function isSealed(head: Buffer): boolean {
  return head.length >= magic.length && head.subarray(0, magic.length).equals(magic);
}

/** @throws VaultError `not-sealed`, `key-unknown`, or `damaged` when no place opens. */
export function readHeader(ring: KeyRing, name: string, bytes: Buffer): ObjectHeader {
  const size = checkedFrameBytes(bytes);
  let unknown: unknown;
  const places = ([0, 1] as const)
    .map((place) => ({ place, ...placeOf(bytes, place) }))
    .filter(({ generation }) => generation > 0)
    .sort((one, other) => other.generation - one.generation);
  for (const { place, generation, keyId, nonce, key, tag } of places) {
    try {
      const decipher = createDecipheriv('aes-256-gcm', ring.find(keyId).forObjects, nonce);
      decipher.setAAD(boundTo(name, size, generation, keyId)).setAuthTag(tag);
      const dataKey = Buffer.concat([decipher.update(key), decipher.final()]);
      return { dataKey: createSecretKey(dataKey), keyId, frameBytes: size, generation, place };
    } catch (error) {
      if (error instanceof VaultError) unknown = error;
    }
  }
  throw unknown ?? damaged();
}

/** The id of the master key of an object, without opening it. @throws VaultError `not-sealed`, `damaged` */
export function keyIdOf(bytes: Buffer): string {
  checkedFrameBytes(bytes);
  const [newest] = ([0, 1] as const).map((place) => placeOf(bytes, place)).sort((a, b) => b.generation - a.generation);
  if (!newest || newest.generation === 0) throw damaged();
  return newest.keyId;
}

/** The same data key under the current master key: what to write in the free place, and where the old one is. */
export function rewrappedPlace(ring: KeyRing, name: string, header: ObjectHeader) {
  const key = header.dataKey.export();
  const bytes = wrapped(ring, name, key, header.frameBytes, header.generation + 1);
  return { bytes, at: placeStarts[header.place === 0 ? 1 : 0], oldAt: placeStarts[header.place] };
}

function checkedFrameBytes(bytes: Buffer): number {
  if (!isSealed(bytes)) throw new VaultError('not-sealed', 'Ce n’est pas un objet scellé.');
  if (bytes.length < headerBytes) throw damaged();
  const size = bytes.readUInt32BE(8);
  if (size === 0 || size > maximumFrameBytes || bytes.subarray(12, 32).some((byte) => byte !== 0)) throw damaged();
  return size;
}

function placeOf(bytes: Buffer, place: 0 | 1) {
  let at = placeStarts[place];
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  return {
    generation: take(4).readUInt32BE(0),
    keyId: take(idBytes)
      .toString('latin1')
      .replace(/(?<!\0)\0+$/, ''),
    nonce: take(nonceBytes),
    key: take(keyBytes),
    tag: take(tagBytes),
  };
}

function wrapped(ring: KeyRing, name: string, key: Buffer, size: number, generation: number): Buffer {
  const { id, forObjects } = ring.current();
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', forObjects, nonce);
  cipher.setAAD(boundTo(name, size, generation, id));
  const bytes = Buffer.alloc(placeBytes);
  bytes.writeUInt32BE(generation, 0);
  bytes.write(id, 4, 'latin1');
  const sealed = Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  sealed.copy(bytes, 4 + idBytes);
  return bytes;
}

/** Additional data of the wrapping: it opens only for this object. */
function boundTo(name: string, size: number, generation: number, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(['passerelle object', 1, name, size, generation, keyId]));
}
