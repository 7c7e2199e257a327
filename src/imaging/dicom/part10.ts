/**
 * PS3.10 §7: the file format around a data set: preamble, prefix, File Meta Information; and data sets that come without any of it,
 * as old archives keep them.
 */
import type { ByteSource } from './byte-source.ts';
import { DicomFailure, failureReason } from './failure.ts';
import {
  explicitBigEndian,
  explicitLittleEndian,
  implicitLittleEndian,
  type TransferSyntax,
  transferSyntaxOf,
} from './transfer-syntax.ts';

export interface FileMeta {
  syntax: TransferSyntax;
  /** Position of the first byte of the data set (of the deflate stream when it is deflated). */
  datasetStart: number;
  /** The data set came alone: no preamble, no File Meta Information. */
  bare: boolean;
}

/** Length of the preamble, which belongs to nobody: it is served as zeros. */
export const preambleBytes = 128;
/** Implementation Class UID of this server. */
export const implementationUid = '2.25.302043790172249692526321623266752743501';
const metaStart = preambleBytes + 4;
const maximumMetaBytes = 64 * 1024;
const longForm: ReadonlySet<string> = new Set(['OB', 'OW', 'UN', 'UT', 'UC', 'UR', 'SQ']);

/**
 * Reads the File Meta Information.
 * @throws DicomFailure when the stream is not a DICOM file, or says no (known) transfer syntax.
 */
export async function readFileMeta(source: ByteSource): Promise<FileMeta> {
  await source.load(0, Math.min(source.size, metaStart));
  if (source.size < metaStart || source.bytes(preambleBytes, 4).toString('latin1') !== 'DICM') {
    const syntax = bareSyntax(source);
    if (syntax) return { syntax, datasetStart: 0, bare: true };
    throw new DicomFailure(
      failureReason.unreadable,
      'Not a DICOM file: the prefix DICM is missing after the preamble.',
    );
  }
  let position = metaStart;
  let transferSyntax: string | undefined;
  let groupEnd: number | undefined;
  while (position + 8 <= source.size) {
    // A wrong group length is met in the field; only before a deflate stream is there no tag to tell where the group really ends.
    if (groupEnd !== undefined && position >= groupEnd && transferSyntaxOf(transferSyntax ?? '')?.deflated) break;
    if (!source.has(position, 12)) await source.load(position, Math.min(12, source.size - position));
    const header = source.bytes(position, Math.min(12, source.size - position));
    if (header.readUInt16LE(0) !== 2) break;
    const vr = header.toString('latin1', 4, 6);
    const long = longForm.has(vr);
    if (!/^[A-Z]{2}$/.test(vr) || (long && header.length < 12)) throw broken();
    const length = long ? header.readUInt32LE(8) : header.readUInt16LE(6);
    const value = position + (long ? 12 : 8);
    if (value + length > Math.min(source.size, metaStart + maximumMetaBytes)) throw broken();
    const element = header.readUInt16LE(2);
    if (element === 0x0000 && length === 4) {
      await source.load(value, 4);
      groupEnd = value + 4 + source.bytes(value, 4).readUInt32LE(0);
    } else if (element === 0x0010) {
      await source.load(value, length);
      transferSyntax = source
        .bytes(value, length)
        .toString('latin1')
        .replace(/(?<![\0 ])[\0 ]+$/, '');
    }
    position = value + length;
  }
  if (!transferSyntax) {
    throw new DicomFailure(
      failureReason.unreadable,
      'The File Meta Information has no Transfer Syntax UID (0002,0010).',
    );
  }
  const syntax = transferSyntaxOf(transferSyntax);
  if (!syntax) {
    throw new DicomFailure(
      failureReason.transferSyntax,
      'Transfer Syntax UID (0002,0010) names an encoding of unknown form.',
    );
  }
  if (position >= source.size) throw broken();
  return { syntax, datasetStart: position, bare: false };
}

/** A data set begins with an element of group 0008, whose first bytes tell its encoding; anything else is no DICOM. */
function bareSyntax(source: ByteSource): TransferSyntax | undefined {
  if (source.size < 8) return undefined;
  const head = source.bytes(0, 8);
  const explicit = /^[A-Z]{2}$/.test(head.toString('latin1', 4, 6));
  if (head.readUInt16LE(0) === 0x0008 && head.readUInt16LE(2) <= 0x0018) {
    return transferSyntaxOf(explicit ? explicitLittleEndian : implicitLittleEndian);
  }
  const bigEndian = explicit && head.readUInt16BE(0) === 0x0008 && head.readUInt16BE(2) <= 0x0018;
  return bigEndian ? transferSyntaxOf(explicitBigEndian) : undefined;
}

/** The preamble, prefix and File Meta Information that a bare data set is served behind. */
export function fileMeta(instance: { sopClassUid: string; sopUid: string; transferSyntax: string }): Buffer {
  const element = (number: number, vr: string, value: Buffer) => {
    const head = Buffer.alloc(vr === 'OB' ? 12 : 8);
    head.writeUInt16LE(0x0002, 0);
    head.writeUInt16LE(number, 2);
    head.write(vr, 4, 'latin1');
    if (vr === 'OB') head.writeUInt32LE(value.length, 8);
    else head.writeUInt16LE(value.length, 6);
    return Buffer.concat([head, value]);
  };
  const uid = (text: string) => Buffer.from(text.length % 2 === 0 ? text : `${text}\0`, 'latin1');
  const elements = Buffer.concat([
    element(0x0001, 'OB', Buffer.from([0, 1])),
    element(0x0002, 'UI', uid(instance.sopClassUid)),
    element(0x0003, 'UI', uid(instance.sopUid)),
    element(0x0010, 'UI', uid(instance.transferSyntax)),
    element(0x0012, 'UI', uid(implementationUid)),
  ]);
  const groupLength = Buffer.alloc(4);
  groupLength.writeUInt32LE(elements.length);
  return Buffer.concat([
    Buffer.alloc(preambleBytes),
    Buffer.from('DICM'),
    element(0x0000, 'UL', groupLength),
    elements,
  ]);
}

function broken(): DicomFailure {
  return new DicomFailure(failureReason.unreadable, 'The File Meta Information (group 0002) is cut or malformed.');
}
