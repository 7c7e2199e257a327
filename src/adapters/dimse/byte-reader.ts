/**
 * The bytes of a connection, taken when they are wanted: nothing is read ahead of its use, so a slow disk slows the sender. Who is
 * slow is told by the time spent waiting for the other side alone.
 */
import type { Socket } from 'node:net';
import { LostPeer } from './protocol-error.ts';

export interface Pace {
  /** Silence between messages. */
  idleMs: number;
  /** Silence inside a message. */
  stalledMs: number;
  /** Slower than this over a whole message, once `graceMs` have been waited, is given up: an octet a minute never stalls. */
  octetsPerSecond: number;
  graceMs: number;
}

export interface ByteReader {
  /** Exactly so many bytes, copied when they came in pieces: for what is small. Undefined at an end before the first. @throws LostPeer. */
  take(length: number): Promise<Buffer | undefined>;
  /** What there is, at most so many bytes and at least one. @throws LostPeer. */
  some(length: number): Promise<Buffer>;
  /** A message is over: the next wait may be long. */
  rest(): void;
}

export function createByteReader(socket: Socket, pace: Pace): ByteReader {
  const chunks = (socket as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let buffer: Buffer = Buffer.alloc(0);
  /** Of the message that is coming in. */
  let message: { waitedMs: number; octets: number } | undefined;
  let waiting = false;
  socket.on('timeout', () => {
    if (waiting) socket.destroy(new LostPeer('silent for too long'));
  });

  /** More bytes; undefined at the end. */
  async function pull(): Promise<Buffer | undefined> {
    // Said anew for every wait: a timeout that fired while we were busy would not come again.
    socket.setTimeout(message ? pace.stalledMs : pace.idleMs);
    waiting = true;
    const since = performance.now();
    try {
      const { value, done } = await chunks.next();
      if (done) return undefined;
      if (message) note(message, value.length, performance.now() - since);
      message ??= { waitedMs: 0, octets: value.length };
      return value;
    } catch (error) {
      if (error instanceof LostPeer) throw error;
      throw new LostPeer((error as NodeJS.ErrnoException).code ?? 'connection lost');
    } finally {
      waiting = false;
    }
  }

  function note(of: { waitedMs: number; octets: number }, octets: number, waitedMs: number): void {
    of.waitedMs += waitedMs;
    of.octets += octets;
    if (of.waitedMs > pace.graceMs && of.octets < (of.waitedMs / 1000) * pace.octetsPerSecond)
      throw new LostPeer('too slow');
  }

  return {
    async take(length) {
      while (buffer.length < length) {
        const chunk = await pull();
        if (!chunk) {
          if (buffer.length === 0) return undefined;
          throw new LostPeer('left in the middle of a PDU');
        }
        buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
      }
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(length);
      return taken;
    },
    async some(length) {
      if (buffer.length === 0) {
        const chunk = await pull();
        if (!chunk) throw new LostPeer('left in the middle of a PDU');
        buffer = chunk;
      }
      const taken = buffer.subarray(0, length);
      buffer = buffer.subarray(taken.length);
      return taken;
    },
    rest() {
      message = buffer.length > 0 ? { waitedMs: 0, octets: buffer.length } : undefined;
    },
  };
}
