/** PS3.8 §9.3: the PDUs of a connection. What P-DATA carries is given out as it comes; a PDU is never held whole. */
import type { ByteReader } from './byte-reader.ts';
import { abortReason, LostPeer, malformed, ProtocolError } from './protocol-error.ts';

export const pduType = {
  associateRequest: 1,
  associateAccept: 2,
  associateReject: 3,
  data: 4,
  releaseRequest: 5,
  releaseReply: 6,
  abort: 7,
} as const;

/** A piece of a presentation data value (PS3.8 §9.3.5.1, Annex E.2). */
export interface DataPiece {
  kind: 'data';
  contextId: number;
  /** Of the command, else of the data set. */
  isCommand: boolean;
  /** The command or the data set ends with this piece. */
  isLast: boolean;
  bytes: Buffer;
}

/** A PDU that is no data, or the end of the connection. */
export type ControlPdu =
  | { kind: 'associate-request' | 'associate-accept' | 'associate-reject'; body: Buffer }
  | { kind: 'release-request' | 'release-reply' | 'abort' | 'closed' };

export type Received = DataPiece | ControlPdu;

export interface PduReader {
  /** @throws ProtocolError for what is no PDU of this protocol, LostPeer. */
  next(): Promise<Received>;
}

/** 128 contexts with a score of transfer syntaxes each are 70 kB. */
const maximumAssociateBytes = 256 * 1024;
const shortBody = 4;
const itemHeaderBytes = 6;

/** @param maximumDataBytes the maximum length we told the other side (PS3.8 Annex D.1). */
export function createPduReader(bytes: ByteReader, maximumDataBytes: number): PduReader {
  let leftInPdu = 0;
  let leftInValue = 0;
  let value = { contextId: 0, isCommand: false, isLast: false };

  async function control(type: number, length: number): Promise<ControlPdu> {
    const isAssociate = type <= pduType.associateAccept;
    if (isAssociate ? length > maximumAssociateBytes : length !== shortBody)
      throw malformed('PDU of an impossible length');
    const body = await bytes.take(length);
    if (!body) throw new LostPeer('left in the middle of a PDU');
    switch (type) {
      case pduType.associateRequest:
        return { kind: 'associate-request', body };
      case pduType.associateAccept:
        return { kind: 'associate-accept', body };
      case pduType.associateReject:
        return { kind: 'associate-reject', body };
      case pduType.releaseRequest:
        return { kind: 'release-request' };
      case pduType.releaseReply:
        return { kind: 'release-reply' };
      default:
        return { kind: 'abort' };
    }
  }

  async function beginValue(): Promise<void> {
    if (leftInPdu < itemHeaderBytes) throw malformed('P-DATA ends inside the head of an item');
    const head = await bytes.take(itemHeaderBytes);
    if (!head) throw new LostPeer('left in the middle of a PDU');
    const length = head.readUInt32BE(0);
    if (length < 2 || length > leftInPdu - 4) throw malformed('P-DATA item of an impossible length');
    const flags = head.readUInt8(5);
    value = { contextId: head.readUInt8(4), isCommand: (flags & 1) === 1, isLast: (flags & 2) === 2 };
    leftInPdu -= 4 + length;
    leftInValue = length - 2;
  }

  async function piece(): Promise<DataPiece> {
    const chunk = leftInValue === 0 ? Buffer.alloc(0) : await bytes.some(leftInValue);
    leftInValue -= chunk.length;
    return { kind: 'data', ...value, isLast: value.isLast && leftInValue === 0, bytes: chunk };
  }

  return {
    async next() {
      if (leftInValue > 0) return piece();
      if (leftInPdu > 0) {
        await beginValue();
        return piece();
      }
      const head = await bytes.take(itemHeaderBytes);
      if (!head) return { kind: 'closed' };
      const type = head.readUInt8(0);
      const length = head.readUInt32BE(2);
      if (type < pduType.associateRequest || type > pduType.abort)
        throw new ProtocolError(abortReason.unrecognizedPdu, 'PDU of an unknown type');
      if (type !== pduType.data) return control(type, length);
      if (length < itemHeaderBytes || length > maximumDataBytes) throw malformed('P-DATA longer than agreed, or empty');
      leftInPdu = length;
      await beginValue();
      return piece();
    },
  };
}
