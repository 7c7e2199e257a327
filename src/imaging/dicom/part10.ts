/** PS3.10 §7: the file format around a data set: preamble, prefix, File Meta Information. */
import type { ByteSource } from './byte-source.ts';
import { DicomFailure, failureReason } from './failure.ts';
import { type TransferSyntax, transferSyntaxOf } from './transfer-syntax.ts';

export interface FileMeta {
  syntax: TransferSyntax;
  /** Position of the first byte of the data set (of the deflate stream when it is deflated). */
  datasetStart: number;
}

/** Length of the preamble, which belongs to nobody: it is served as zeros. */
export const preambleBytes = 128;
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
        .replace(/[\0 ]+$/, '');
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
  return { syntax, datasetStart: position };
}

function broken(): DicomFailure {
  return new DicomFailure(failureReason.unreadable, 'The File Meta Information (group 0002) is cut or malformed.');
}
