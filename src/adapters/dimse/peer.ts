/** The other end of a connection. */
import type { Socket } from 'node:net';
import { type ClientCertificate, certificateOf } from '../../access/index.ts';
import { addressOf } from '../../sockets/index.ts';

export interface Peer {
  address: string;
  isLoopback: boolean;
  /** Over TLS: what it showed in its handshake. */
  certificate: ClientCertificate | undefined;
}

export function peerOf(socket: Socket): Peer {
  const address = addressOf(socket);
  return {
    address,
    isLoopback: address === '::1' || /^127\./.test(address),
    certificate: certificateOf(socket),
  };
}
