/** A connection as an association uses it: what comes, what is sent, how it ends. */
import type { Socket } from 'node:net';
import { createByteReader, type Pace } from './byte-reader.ts';
import { createMessages, type Messages } from './messages.ts';
import { createPduReader } from './pdu-reader.ts';
import { LostPeer } from './protocol-error.ts';

export interface Connection {
  messages: Messages;
  /** A message is over: the next may be long in coming. */
  rest(): void;
  /** Resolves once it is handed to the network. @throws LostPeer when the other side does not take it. */
  send(bytes: Buffer): Promise<void>;
  /** Closes our side, after these last words, and waits for the other side no longer than the ARTIM timer. */
  end(lastWords?: Buffer): void;
}

export interface ConnectionLimits extends Pace {
  /** Largest P-DATA we take: our Maximum Length. */
  pduBytes: number;
  /** ARTIM timer (PS3.8 §9.1.5): for the request to come, and for the connection to be closed in the end. */
  artimMs: number;
}

const keepAliveMs = 60_000;

export function openConnection(socket: Socket, limits: ConnectionLimits): Connection {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, keepAliveMs);
  // Told where the connection is read; without a listener an error between two reads would end the process.
  socket.on('error', () => undefined);
  const reader = createByteReader(socket, limits);
  return {
    messages: createMessages(createPduReader(reader, limits.pduBytes)),
    rest: () => reader.rest(),
    async send(bytes) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // Not the socket's own timeout: an octet that comes in would begin it anew.
      const timer = setTimeout(() => {
        reject(new LostPeer('takes no answer'));
        socket.destroy();
      }, limits.stalledMs);
      socket.write(bytes, (error) => (error ? reject(new LostPeer('connection lost')) : resolve()));
      await promise.finally(() => clearTimeout(timer));
    },
    end(lastWords) {
      socket.on('error', () => socket.destroy());
      if (socket.destroyed) return;
      const timer = setTimeout(() => socket.destroy(), limits.artimMs);
      socket.once('close', () => clearTimeout(timer));
      if (lastWords) socket.end(lastWords);
      else socket.end();
      // What still comes is for nobody.
      socket.resume();
    },
  };
}
