/** PS3.8 §9.3: the PDUs we send. */
import { pduType } from './pdu-reader.ts';

/** PS3.8 §9.3.4: who refuses an association and why. */
export interface Rejection {
  /** 1 for good, 2 for now. */
  result: 1 | 2;
  /** 1 the service user, 2 the provider (ACSE), 3 the provider (presentation). */
  source: 1 | 2 | 3;
  reason: number;
}

export const rejection = {
  applicationContext: { result: 1, source: 1, reason: 2 },
  callingAe: { result: 1, source: 1, reason: 3 },
  calledAe: { result: 1, source: 1, reason: 7 },
  protocolVersion: { result: 1, source: 2, reason: 2 },
  congestion: { result: 2, source: 3, reason: 1 },
  limit: { result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, Rejection>;

export function pdu(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}

export function rejectPdu({ result, source, reason }: Rejection): Buffer {
  return pdu(pduType.associateReject, Buffer.from([0, result, source, reason]));
}

export const releaseReplyPdu = (): Buffer => pdu(pduType.releaseReply, Buffer.alloc(4));

/** Aborted by us as the service provider. */
export function abortPdu(reason: number): Buffer {
  return pdu(pduType.abort, Buffer.from([0, 0, 2, reason]));
}

/** Nobody sensible says less; a command of ours is cut rather than answered byte by byte. */
const leastPduBytes = 256;
const largestPduBytes = 128 * 1024;
const itemHeadBytes = 6;

/** A command or a data set in as many P-DATA as the other side's maximum asks for. @param maximum 0: it has none. */
export function dataPdus(contextId: number, isCommand: boolean, bytes: Buffer, maximum: number): Buffer {
  const most = Math.min(maximum === 0 ? largestPduBytes : Math.max(maximum, leastPduBytes), largestPduBytes);
  const step = most - itemHeadBytes;
  const pdus: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += step) {
    const part = bytes.subarray(at, at + step);
    const head = Buffer.alloc(itemHeadBytes);
    head.writeUInt32BE(part.length + 2, 0);
    head.writeUInt8(contextId, 4);
    head.writeUInt8((isCommand ? 1 : 0) | (at + step >= bytes.length ? 2 : 0), 5);
    pdus.push(pdu(pduType.data, Buffer.concat([head, part])));
  }
  return Buffer.concat(pdus);
}
