/**
 * The content of a sealed object: frames of AES-256-GCM under the object's own key, each `content + 16`, then an end of 16 bytes that
 * vouches for the length. The number of a frame is its nonce: a frame in another place does not open, and since a key seals one object
 * once, no nonce comes twice.
 */
import { type CipherGCM, createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { damaged } from './vault-error.ts';

export const tagBytes = 16;
const content = 0;
const end = 1;

/** Seals a stream: what to write comes back piece by piece. */
export interface FrameSealer {
  push(chunk: Buffer): Buffer[];
  end(): Buffer[];
  /** Bytes of content so far. */
  readonly size: number;
}

export function frameSealer(key: KeyObject, frameBytes: number): FrameSealer {
  let frames = 0;
  let size = 0;
  let filled = 0;
  let cipher: CipherGCM | undefined;

  function closeFrame(out: Buffer[]): void {
    if (!cipher) return;
    cipher.final();
    out.push(cipher.getAuthTag());
    cipher = undefined;
    filled = 0;
    frames++;
  }

  return {
    get size() {
      return size;
    },
    push(chunk) {
      const out: Buffer[] = [];
      for (let at = 0; at < chunk.length; ) {
        cipher ??= createCipheriv('aes-256-gcm', key, nonceOf(content, frames));
        const piece = chunk.subarray(at, at + frameBytes - filled);
        out.push(cipher.update(piece));
        at += piece.length;
        filled += piece.length;
        size += piece.length;
        if (filled === frameBytes) closeFrame(out);
      }
      return out;
    },
    end() {
      const out: Buffer[] = [];
      closeFrame(out);
      out.push(endOf(key, frames, size));
      return out;
    },
  };
}

/** Opens frame `index`. @param sealed the frame with its tag. @throws VaultError `damaged` */
export function openFrame(key: KeyObject, index: number, sealed: Buffer): Buffer {
  if (sealed.length <= tagBytes) throw damaged();
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(content, index), { authTagLength: tagBytes });
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const opened = decipher.update(sealed.subarray(0, -tagBytes));
  try {
    decipher.final();
  } catch {
    throw damaged();
  }
  return opened;
}

/** @throws VaultError `damaged` when the object does not end here. */
export function checkEnd(key: KeyObject, frames: number, size: number, tag: Buffer): void {
  if (!endOf(key, frames, size).equals(tag)) throw damaged();
}

/** Frames and bytes of content of a body (what is between header and end). @throws VaultError `damaged` for a length none has. */
export function measured(bodyBytes: number, frameBytes: number): { frames: number; size: number } {
  const frames = Math.ceil(bodyBytes / (frameBytes + tagBytes));
  const size = bodyBytes - frames * tagBytes;
  const last = frames === 0 ? 1 : size - (frames - 1) * frameBytes;
  if (bodyBytes < 0 || last <= 0) throw damaged();
  return { frames, size };
}

/** An empty message under a nonce of its own: its tag is a code of the length under the object's key. */
function endOf(key: KeyObject, frames: number, size: number): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(end, frames));
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(size));
  cipher.setAAD(length);
  cipher.final();
  return cipher.getAuthTag();
}

function nonceOf(kind: typeof content | typeof end, index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce[0] = kind;
  nonce.writeUInt32BE(index, 8);
  return nonce;
}
