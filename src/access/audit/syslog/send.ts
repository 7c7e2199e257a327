/**
 * Messages over one TLS connection, and when they count as arrived. Syslog acknowledges nothing (RFC 5425). So a batch is a connection: after the last
 * message it stays open a moment, in which a receiver that went away before reading would be heard of (FIN or RST); then we end it, and
 * the receiver's own end tells that nothing it was sent lay unread, for then its system would have answered with a reset.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { AuditSyslog } from '../../../config/index.ts';

const connectMs = 10_000;
/** Without progress for so long the receiver is taken for gone. */
const silenceMs = 30_000;

/** How long a receiver that went away may take to be heard of. */
const settleMs = 1_000;

/** Resolves when the receiver has read every message. @throws Error when it has not, or nobody knows: then all are to be sent again. */
export async function sendMessages(receiver: AuditSyslog, messages: AsyncIterable<Buffer>): Promise<void> {
  const socket = connect({
    host: receiver.host,
    port: receiver.port,
    minVersion: 'TLSv1.2',
    ...(receiver.ca === undefined ? {} : { ca: receiver.ca }),
    ...receiver.identity,
  });
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const give = (reason: string) => reject(new Error(reason));
  socket.on('error', reject);
  socket.setTimeout(connectMs, () => {
    give('the syslog receiver does not answer');
    socket.destroy();
  });
  let isEnding = false;
  socket.once('end', () => {
    if (!isEnding) give('the syslog receiver ended the connection');
  });
  socket.once('close', () => give('the connection to the syslog receiver was lost'));
  try {
    await Promise.race([once(socket, 'secureConnect'), failed]);
    socket.setTimeout(silenceMs);
    // What the receiver says is of no interest, but its end is only seen by reading.
    socket.resume();
    for await (const message of messages) await Promise.race([write(socket, message), failed]);
    await Promise.race([pause(settleMs), failed]);
    isEnding = true;
    const answered = once(socket, 'end');
    socket.end();
    await Promise.race([answered, failed]);
  } finally {
    socket.destroy();
  }
}

async function write(socket: TLSSocket, message: Buffer): Promise<void> {
  if (!socket.write(message)) await once(socket, 'drain');
}
