/** PS3.5 §7.1: tag, value representation and length of one data element. */
import type { ByteSource } from './byte-source.ts';
import { tagForPeople } from './dictionary.ts';
import { DicomFailure, failureReason } from './failure.ts';

/** Length of a value that a delimiter ends. */
export const undefinedLength = 0xffffffff;

/** Value representations with a 32-bit length in explicit encoding; so is any that the standard may add (PS3.5 §6.2). */
const longForm: ReadonlySet<string> = new Set([
  'OB',
  'OD',
  'OF',
  'OL',
  'OV',
  'OW',
  'SQ',
  'SV',
  'UC',
  'UN',
  'UR',
  'UT',
  'UV',
]);
const shortForm: ReadonlySet<string> = new Set(
  'AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US'.split(' '),
);

export interface ElementHeader {
  tag: number;
  /** As written; undefined in implicit encoding. */
  vr: string | undefined;
  length: number;
  /** Bytes of the header itself. */
  bytes: number;
}

/** The encoding around an element. `fresh` until the first element of an item was read. */
export interface Encoding {
  explicitVr: boolean;
  bigEndian: boolean;
  fresh: boolean;
}

/**
 * Reads the header at `position`; 12 bytes must be loaded (fewer only where the data set ends). Some writers put implicit items into an
 * explicit data set: when the first element of an item has no value representation, the whole item is taken as implicit.
 */
export function readElementHeader(source: ByteSource, position: number, encoding: Encoding): ElementHeader {
  const available = source.bytes(position, Math.min(12, source.size - position));
  const u16 = (at: number) => (encoding.bigEndian ? available.readUInt16BE(at) : available.readUInt16LE(at));
  const u32 = (at: number) => (encoding.bigEndian ? available.readUInt32BE(at) : available.readUInt32LE(at));
  const tag = u16(0) * 0x10000 + u16(2);
  if (tag >>> 16 === 0xfffe) return { tag, vr: undefined, length: u32(4), bytes: 8 };
  const vr = available.toString('latin1', 4, 6);
  const lettered = /^[A-Z]{2}$/.test(vr);
  if (encoding.explicitVr && !lettered && encoding.fresh) encoding.explicitVr = false;
  if (!encoding.explicitVr) return { tag, vr: undefined, length: u32(4), bytes: 8 };
  if (shortForm.has(vr)) return { tag, vr, length: u16(6), bytes: 8 };
  if (!lettered || available.length < 12 || (!longForm.has(vr) && u16(6) !== 0)) {
    throw new DicomFailure(failureReason.unreadable, `Element ${tagForPeople(tag)} has no known value representation.`);
  }
  return { tag, vr: longForm.has(vr) ? vr : 'UN', length: u32(8), bytes: 12 };
}
