/** RFC 4291 §2.5.5.2: an IPv4 peer of a socket that hears both families comes as `::ffff:…`; it has one name here. */
import type { Socket } from 'node:net';

/** @returns the empty string once the connection is gone. */
export function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
}
