/** PS3.7 §6.3: messages out of PDUs: a command held whole, then its data set as a stream. */
import type { ControlPdu, DataPiece, PduReader, Received } from './pdu-reader.ts';
import { abortReason, LostPeer, malformed, ProtocolError } from './protocol-error.ts';

export type Arrived = { kind: 'command'; contextId: number; bytes: Buffer } | ControlPdu;

export interface Messages {
  /** The next command, or what ends the association. The data set of the one before must have been read to its end. */
  next(): Promise<Arrived>;
  /** The data set that follows the last command. */
  dataset(contextId: number): DatasetReader;
}

export interface DatasetReader {
  /** What came; undefined at the end. @throws ProtocolError, LostPeer. */
  read(): Promise<Buffer | undefined>;
  /** Reads on to the end and keeps nothing. */
  drain(): Promise<void>;
}

/** Real command sets are a few hundred bytes. */
const mostCommandBytes = 16 * 1024;
/** Pieces of nothing are legal, and no reason to go on for ever. */
const mostEmptyPieces = 1_000;

export function createMessages(pdus: PduReader): Messages {
  let empty = 0;

  async function piece(): Promise<Received> {
    const received = await pdus.next();
    empty = received.kind === 'data' && received.bytes.length === 0 ? empty + 1 : 0;
    if (empty > mostEmptyPieces) throw malformed('P-DATA of nothing');
    return received;
  }

  async function command(first: DataPiece): Promise<Arrived> {
    const parts: Buffer[] = [];
    let length = 0;
    for (let part = first; ; part = await following(first.contextId, true)) {
      if (!part.isCommand) throw new ProtocolError(abortReason.unexpectedPdu, 'a data set without a command');
      length += part.bytes.length;
      if (length > mostCommandBytes) throw malformed('a command without end');
      parts.push(part.bytes);
      if (part.isLast) return { kind: 'command', contextId: first.contextId, bytes: Buffer.concat(parts) };
    }
  }

  /** What must come next inside a message. */
  async function following(contextId: number, isCommand: boolean): Promise<DataPiece> {
    const received = await piece();
    if (received.kind === 'abort' || received.kind === 'closed')
      throw new LostPeer(`${received.kind} inside a message`);
    if (received.kind !== 'data') throw new ProtocolError(abortReason.unexpectedPdu, 'no P-DATA inside a message');
    if (received.contextId !== contextId || received.isCommand !== isCommand) throw malformed('two messages at once');
    return received;
  }

  return {
    async next() {
      const received = await piece();
      return received.kind === 'data' ? command(received) : received;
    },
    dataset(contextId) {
      let ended = false;
      const step = async (): Promise<Buffer | undefined> => {
        while (!ended) {
          const { bytes, isLast } = await following(contextId, false);
          ended = isLast;
          if (bytes.length > 0) return bytes;
        }
        return undefined;
      };
      // A reader that gives up may still have a read under way: steps follow each other.
      let last: Promise<Buffer | undefined> = Promise.resolve(undefined);
      const read = () => (last = last.then(step));
      return {
        read,
        async drain() {
          while ((await read()) !== undefined);
        },
      };
    },
  };
}
