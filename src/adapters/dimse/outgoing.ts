/** An association that we open: for one message of a class we provide (PS3.7 §D.3.3.4: role selection), then released. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { implementationUid, implicitLittleEndian } from '../../imaging/index.ts';
import { aeField, applicationContext, associateItem, implementationVersion } from './associate-answer.ts';
import { readAcceptance } from './associate-items.ts';
import { readCommand } from './command-set.ts';
import { openConnection } from './connection.ts';
import { pduType } from './pdu-reader.ts';
import { abortPdu, dataPdus, pdu } from './pdu-writer.ts';
import { LostPeer } from './protocol-error.ts';
import type { ReportRoute } from './report-route.ts';

export interface OutgoingMessage {
  callingAe: string;
  calledAe: string;
  /** Proposed with us in the role of its provider, in implicit little endian. */
  sopClass: string;
  command: Buffer;
  dataset: Buffer;
  /** For `dicoms:`. */
  tls: ConnectionOptions;
  /** For everything together. */
  timeoutMs?: number;
}

/** The other side did not take the association, or the class in it. */
export class NotAccepted extends Error {
  override name = 'NotAccepted';
}

const contextId = 1;
const pduBytes = 32 * 1024;
const defaultTimeoutMs = 60_000;

/** @returns the status of the answer. @throws NotAccepted, LostPeer, ProtocolError. */
export async function sendMessage(route: ReportRoute, message: OutgoingMessage): Promise<number> {
  const timeoutMs = message.timeoutMs ?? defaultTimeoutMs;
  const socket = open(route, message.tls);
  const deadline = setTimeout(() => socket.destroy(new LostPeer('no answer in time')), timeoutMs);
  const connection = openConnection(socket, {
    ...{ pduBytes, artimMs: timeoutMs, idleMs: timeoutMs, stalledMs: timeoutMs },
    ...{ octetsPerSecond: 0, graceMs: timeoutMs },
  });
  let lastWords: Buffer | undefined = abortPdu(0);
  try {
    await connection.send(requestPdu(message));
    const answer = await connection.messages.next();
    if (answer.kind === 'associate-reject')
      throw new NotAccepted(`the association was rejected (${[...answer.body.subarray(1)].join(', ')})`);
    if (answer.kind !== 'associate-accept') throw new LostPeer('no answer to the association');
    const { accepted, maximumLength } = readAcceptance(answer.body);
    if (!accepted.has(contextId)) throw new NotAccepted('the class was not accepted');
    await connection.send(dataPdus(contextId, true, message.command, maximumLength));
    await connection.send(dataPdus(contextId, false, message.dataset, maximumLength));
    const reply = await connection.messages.next();
    if (reply.kind !== 'command') throw new LostPeer('no answer to the message');
    const { status, hasDataset } = readCommand(reply.bytes);
    if (hasDataset) await connection.messages.dataset(contextId).drain();
    await connection.send(pdu(pduType.releaseRequest, Buffer.alloc(4)));
    lastWords = undefined;
    // Whether it answers our farewell changes nothing.
    await connection.messages.next().catch(() => undefined);
    return status ?? 0x0110;
  } finally {
    clearTimeout(deadline);
    connection.end(lastWords);
  }
}

/** Errors of connecting are met by the first to write or read. */
function open({ host, port, tls }: ReportRoute, options: ConnectionOptions): Socket {
  return tls ? connectTls({ ...options, host, port, servername: host }) : connect({ host, port });
}

function requestPdu({ callingAe, calledAe, sopClass }: OutgoingMessage): Buffer {
  const version = Buffer.alloc(4);
  version.writeUInt16BE(1, 0);
  const maximum = Buffer.alloc(4);
  maximum.writeUInt32BE(pduBytes);
  const role = Buffer.alloc(2);
  role.writeUInt16BE(sopClass.length);
  const text = (type: number, value: string) => associateItem(type, Buffer.from(value, 'latin1'));
  return pdu(
    pduType.associateRequest,
    Buffer.concat([
      version,
      aeField(calledAe),
      aeField(callingAe),
      Buffer.alloc(32),
      text(0x10, applicationContext),
      associateItem(
        0x20,
        Buffer.concat([Buffer.from([contextId, 0, 0, 0]), text(0x30, sopClass), text(0x40, implicitLittleEndian)]),
      ),
      associateItem(
        0x50,
        Buffer.concat([
          associateItem(0x51, maximum),
          text(0x52, implementationUid),
          associateItem(0x54, Buffer.concat([role, Buffer.from(sopClass, 'latin1'), Buffer.from([0, 1])])),
          text(0x55, implementationVersion),
        ]),
      ),
    ]),
  );
}
