/**
 * The inside of an archive: a sequence of records `kind (1) length (4, big endian) bytes`. An entry is its head, its data in pieces, and
 * its foot; the last record is the signed manifest. Everything is sealed as one object, so what is read here was verified.
 */
import { CommandError } from '../command-error.ts';

export const recordKind = { head: 1, data: 2, foot: 3, manifest: 4 } as const;
export type RecordKind = (typeof recordKind)[keyof typeof recordKind];

export interface ArchiveRecord {
  kind: RecordKind;
  bytes: Buffer;
}

const headBytes = 5;
/** No record of ours is longer: what says so is no archive. */
const maximumBytes = 64 * 1024 * 1024;

export function encodeRecord(kind: RecordKind, bytes: Buffer): Buffer[] {
  const head = Buffer.alloc(headBytes);
  head[0] = kind;
  head.writeUInt32BE(bytes.length, 1);
  return [head, bytes];
}

/** @throws Error when the stream is no sequence of records. */
export async function* decodeRecords(stream: AsyncIterable<Buffer>): AsyncGenerator<ArchiveRecord> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let wanted = headBytes;
  for await (const chunk of stream) {
    waiting.push(chunk);
    waitingBytes += chunk.length;
    while (waitingBytes >= wanted) {
      const all = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting);
      const length = all.readUInt32BE(1);
      if (length > maximumBytes || !Object.values(recordKind).some((kind) => kind === all[0])) throw notAnArchive();
      wanted = headBytes + length;
      waiting = [all];
      if (all.length < wanted) break;
      yield { kind: all[0] as RecordKind, bytes: all.subarray(headBytes, wanted) };
      waiting = [all.subarray(wanted)];
      waitingBytes -= wanted;
      wanted = headBytes;
    }
  }
  if (waitingBytes > 0) throw notAnArchive();
}

function notAnArchive(): Error {
  return new CommandError('Ce n’est pas une sauvegarde de Passerelle.');
}
