/** PS3.5 §A.4: encapsulated pixel data, a list of fragments behind a Basic Offset Table. Only the headers are read. */
import type { ByteSource } from './byte-source.ts';
import { undefinedLength } from './element-header.ts';
import { DicomFailure, failureReason } from './failure.ts';

export interface Fragment {
  /** Position of its first byte in the file. */
  offset: number;
  length: number;
  /** Its first bytes begin a JPEG family codestream. */
  startsImage: boolean;
}

export interface Fragments {
  /** Offsets of the frames' first items from the first fragment's item; empty when the writer gave none. */
  offsetTable: number[];
  fragments: Fragment[];
  /** Position after the sequence delimiter. */
  end: number;
}

const maximumFragments = 1_000_000;
const maximumTableBytes = 8 * 1024 * 1024;
/** A fragment is usually far larger than this: reading ahead would read the pixels. */
const aheadBytes = 512;

/**
 * Reads from the first item to the sequence delimiter.
 * @throws DicomFailure when an item is missing or runs past `limit`.
 */
export async function readFragments(source: ByteSource, start: number, limit: number): Promise<Fragments> {
  const offsetTable: number[] = [];
  const fragments: Fragment[] = [];
  let position = start;
  for (let index = 0; ; index++) {
    if (position + 8 > limit) throw truncated();
    if (!source.has(position, 8)) await source.load(position, 8, aheadBytes);
    const header = source.bytes(position, 8);
    const element = header.readUInt16LE(2);
    const length = header.readUInt32LE(4);
    const value = position + 8;
    if (header.readUInt16LE(0) !== 0xfffe) throw truncated();
    if (element === 0xe0dd) return { offsetTable, fragments, end: value };
    if (element !== 0xe000 || length === undefinedLength || value + length > limit) throw truncated();
    if (index > maximumFragments)
      throw new DicomFailure(failureReason.resources, 'The pixel data has too many fragments.');
    if (index === 0) {
      if (length > maximumTableBytes) throw truncated();
      if (!source.has(value, length)) await source.load(value, length, aheadBytes);
      const table = source.bytes(value, length);
      for (let at = 0; at + 4 <= length; at += 4) offsetTable.push(table.readUInt32LE(at));
    } else {
      const peek = Math.min(4, length);
      if (!source.has(value, peek)) await source.load(value, peek, aheadBytes);
      fragments.push({ offset: value, length, startsImage: beginsCodestream(source.bytes(value, peek)) });
    }
    position = value + length;
  }
}

/** Start of image of JPEG and JPEG-LS, start of codestream of JPEG 2000, signature box of JP2. */
function beginsCodestream(bytes: Buffer): boolean {
  if (bytes.length < 4) return false;
  const word = bytes.readUInt32BE(0);
  return word >>> 8 === 0xffd8ff || word === 0xff4fff51 || word === 0x0000000c;
}

function truncated(): DicomFailure {
  return new DicomFailure(failureReason.unreadable, 'Pixel Data (7FE0,0010) ends inside its fragments.');
}
