/**
 * Bodies that come too slowly are given up: a thousand connections that send an octet a minute would otherwise cost their sender
 * nothing and hold ours for an hour. Who waits because we do not read is not meant, unless the answer was given without reading.
 */
import type { IncomingMessage } from 'node:http';

export interface SlowBodies {
  /** @param giveUp ends the request and its connection. @param isAnswered whether the answer has been sent whole. */
  watch(request: IncomingMessage, giveUp: () => void, isAnswered: () => boolean): void;
  /** Gives up what was answered already: nobody reads the rest of it, and a server that stops would wait for it. */
  endAnswered(): void;
  close(): void;
}

/** Time looked at as one, and how many of them in a row must be too slow: a lost train of packets is not an attack. */
const windowMs = 10_000;
const slowWindows = 2;

interface Watched {
  bytes: number;
  slow: number;
  giveUp(): void;
  isAnswered(): boolean;
}

export function watchSlowBodies(octetsPerSecond: number, everyMs: number = windowMs): SlowBodies {
  const watched = new Map<IncomingMessage, Watched>();
  const least = (octetsPerSecond * everyMs) / 1000;

  function look(): void {
    for (const [request, state] of watched) {
      if (request.complete || request.destroyed) {
        watched.delete(request);
        continue;
      }
      const bytes = request.socket.bytesRead;
      // Octets that wait to be read are ours to read.
      const isSlow = state.isAnswered() || (request.readableLength === 0 && bytes - state.bytes < least);
      state.bytes = bytes;
      state.slow = isSlow ? state.slow + 1 : 0;
      if (state.slow < slowWindows) continue;
      watched.delete(request);
      state.giveUp();
    }
  }

  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    watch(request, giveUp, isAnswered) {
      watched.set(request, { bytes: request.socket.bytesRead, slow: 0, giveUp, isAnswered });
      request.once('close', () => watched.delete(request));
    },
    close: () => clearInterval(timer),
    endAnswered() {
      for (const [request, { isAnswered, giveUp }] of watched) if (!request.complete && isAnswered()) giveUp();
    },
  };
}
