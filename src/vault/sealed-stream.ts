/** Sealed objects as streams, of any length, in constant memory. */
import { Transform } from 'node:stream';
import { checkEnd, frameSealer, openFrame, tagBytes } from './frames.ts';
import type { KeyRing } from './key-ring.ts';
import { frameBytes, headerBytes, newHeader, type ObjectHeader, readHeader } from './object-header.ts';
import { damaged, VaultError } from './vault-error.ts';

/** Content in, sealed object out. */
export function sealingStream(ring: KeyRing, name: string): Transform {
  const { bytes, dataKey } = newHeader(ring, name);
  const sealer = frameSealer(dataKey, frameBytes);
  let isBegun = false;
  const begin = (stream: Transform) => {
    if (!isBegun) stream.push(bytes);
    isBegun = true;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      begin(this);
      for (const piece of sealer.push(chunk)) this.push(piece);
      done();
    },
    flush(done) {
      begin(this);
      for (const piece of sealer.end()) this.push(piece);
      done();
    },
  });
}

/**
 * Sealed object in, content out. A frame comes out only after it was verified; that the object is whole is known at the end: who
 * cannot take back what it passed on reads the object twice, or uses `openSealed`.
 */
export function openingStream(ring: KeyRing, name: string): Transform {
  let header: ObjectHeader | undefined;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let frames = 0;
  let size = 0;

  const take = (length: number): Buffer => {
    const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
    waiting = [all.subarray(length)];
    waitingBytes -= length;
    return all.subarray(0, length);
  };
  const open = (sealed: Buffer): Buffer => {
    const content = openFrame(header!.dataKey, frames++, sealed);
    size += content.length;
    return content;
  };

  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        waiting.push(chunk);
        waitingBytes += chunk.length;
        if (!header) {
          if (waitingBytes < headerBytes) return done();
          header = readHeader(ring, name, take(headerBytes));
        }
        const sealedBytes = header.frameBytes + tagBytes;
        // The end is held back until it is known to be one.
        while (waitingBytes >= sealedBytes + tagBytes) this.push(open(take(sealedBytes)));
        done();
      } catch (error) {
        done(error as Error);
      }
    },
    flush(done) {
      try {
        if (!header) throw new VaultError('not-sealed', 'Ce n’est pas un objet scellé.');
        if (waitingBytes < tagBytes) throw damaged();
        if (waitingBytes > tagBytes) this.push(open(take(waitingBytes - tagBytes)));
        checkEnd(header.dataKey, frames, size, take(tagBytes));
        done();
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
