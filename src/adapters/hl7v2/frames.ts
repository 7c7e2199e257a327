/**
 * MLLP framing (HL7 v2 transport specification, "minimal lower layer protocol"): VT, message, FS, CR on a byte stream that TCP
 * cuts anywhere. Octets outside a frame are noise and are skipped; a VT inside a frame means that the sender gave the first
 * one up: an unfinished message was never acknowledged, so dropping it loses nothing.
 */

/** Start of block. */
const startBlock = 0x0b;
/** End of block; the CR that follows it is skipped with the noise between frames. */
const endBlock = 0x1c;
const carriageReturn = 0x0d;

/** What the stream yields. */
export type FrameEvent =
  | { kind: 'message'; bytes: Buffer }
  /** Longer than the limit: `head` holds its first octets, the rest was skipped. */
  | { kind: 'oversized'; head: Buffer };

/** Cuts one connection's stream into messages. */
export interface FrameDecoder {
  /** Takes the next chunk and returns what it completes, in order. */
  push(chunk: Buffer): FrameEvent[];
  /** Octets of an unfinished frame; 0 between frames. */
  readonly pendingBytes: number;
  /** Octets skipped outside frames so far, without the CR that belongs to each frame. */
  readonly noiseBytes: number;
}

/** @param limitBytes largest message kept in memory; a longer one is reported as oversized and skipped. */
export function createFrameDecoder(limitBytes: number): FrameDecoder {
  let inside = false;
  let parts: Buffer[] = [];
  let size = 0;
  let noise = 0;

  function begin(): void {
    inside = true;
    parts = [];
    size = 0;
  }

  function append(part: Buffer): void {
    const room = limitBytes - Math.min(size, limitBytes);
    // A copy: the chunk's memory belongs to the socket's pool and may be large while we keep a few octets of it.
    if (room > 0 && part.length > 0) parts.push(Buffer.from(part.subarray(0, room)));
    size += part.length;
  }

  function finish(): FrameEvent {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const event: FrameEvent = size > limitBytes ? { kind: 'oversized', head: bytes } : { kind: 'message', bytes };
    inside = false;
    parts = [];
    size = 0;
    return event;
  }

  return {
    push(chunk) {
      const events: FrameEvent[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (!inside) {
          const start = chunk.indexOf(startBlock, at);
          const skipped = chunk.subarray(at, start < 0 ? chunk.length : start);
          for (const octet of skipped) if (octet !== carriageReturn) noise += 1;
          if (start < 0) break;
          begin();
          at = start + 1;
          continue;
        }
        const end = indexOrEnd(chunk, endBlock, at);
        const restart = chunk.subarray(at, end).lastIndexOf(startBlock);
        if (restart >= 0) {
          begin();
          at += restart + 1;
        }
        append(chunk.subarray(at, end));
        at = end + 1;
        if (end < chunk.length) events.push(finish());
      }
      return events;
    },
    get pendingBytes() {
      return inside ? size + 1 : 0;
    },
    get noiseBytes() {
      return noise;
    },
  };
}

/** Wraps a message for the wire. */
export function frame(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(startBlock), message, Buffer.of(endBlock, carriageReturn)]);
}

function indexOrEnd(chunk: Buffer, octet: number, from: number): number {
  const found = chunk.indexOf(octet, from);
  return found < 0 ? chunk.length : found;
}
