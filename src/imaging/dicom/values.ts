/** PS3.5 §6.2 and PS3.18 §F.2: the bytes of one value into the JSON model. */
import type { TextDecoding } from './charset.ts';
import { tagText } from './dictionary.ts';
import type { JsonElement, JsonValue, PersonNameJson } from './json-model.ts';

/** Value representations whose value is bytes, not text or numbers. */
export const binaryVrs: ReadonlySet<string> = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN']);

const characterSetTag = 0x00080005;
/** Text that a backslash does not split. */
const singleValued: ReadonlySet<string> = new Set(['LT', 'ST', 'UT', 'UR']);
const localText: ReadonlySet<string> = new Set(['SH', 'LO', 'ST', 'LT', 'UC', 'UT', 'PN']);

interface NumberCoding {
  size: number;
  read(bytes: Buffer, at: number, bigEndian: boolean): JsonValue;
}

const numberCodings: Readonly<Record<string, NumberCoding>> = {
  US: { size: 2, read: (bytes, at, big) => (big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at)) },
  SS: { size: 2, read: (bytes, at, big) => (big ? bytes.readInt16BE(at) : bytes.readInt16LE(at)) },
  UL: { size: 4, read: (bytes, at, big) => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) },
  SL: { size: 4, read: (bytes, at, big) => (big ? bytes.readInt32BE(at) : bytes.readInt32LE(at)) },
  FL: { size: 4, read: (bytes, at, big) => finite(big ? bytes.readFloatBE(at) : bytes.readFloatLE(at)) },
  FD: { size: 8, read: (bytes, at, big) => finite(big ? bytes.readDoubleBE(at) : bytes.readDoubleLE(at)) },
  UV: { size: 8, read: (bytes, at, big) => safeInteger(big ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at)) },
  SV: { size: 8, read: (bytes, at, big) => safeInteger(big ? bytes.readBigInt64BE(at) : bytes.readBigInt64LE(at)) },
  AT: {
    size: 4,
    read: (bytes, at, big) => {
      const group = big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at);
      const element = big ? bytes.readUInt16BE(at + 2) : bytes.readUInt16LE(at + 2);
      return tagText(group * 0x10000 + element);
    },
  },
};

/** JSON has no NaN and no infinity. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Beyond 2^53 a JSON number would lie: the text is kept. */
function safeInteger(value: bigint): number | string {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
}

/** The JSON form of an element that is neither a sequence nor bulk data; an empty value has no `Value`. */
export function jsonElement(
  tag: number,
  vr: string,
  bytes: Buffer,
  bigEndian: boolean,
  decode: TextDecoding,
): JsonElement {
  if (bytes.length === 0) return { vr };
  if (binaryVrs.has(vr)) return { vr, InlineBinary: littleEndianBytes(vr, bytes, bigEndian).toString('base64') };
  const coding = numberCodings[vr];
  if (coding) {
    const values: JsonValue[] = [];
    for (let at = 0; at + coding.size <= bytes.length; at += coding.size)
      values.push(coding.read(bytes, at, bigEndian));
    return values.length > 0 ? { vr, Value: values } : { vr };
  }
  // Whatever the file says, this answer is UTF-8.
  if (tag === characterSetTag) return { vr, Value: ['ISO_IR 192'] };
  const text = localText.has(vr) ? decode(bytes) : bytes.toString('latin1');
  const values = (singleValued.has(vr) ? [text] : text.split('\\')).map((part) => textValue(vr, part));
  return values.every((value) => value === null) ? { vr } : { vr, Value: values };
}

function textValue(vr: string, raw: string): JsonValue {
  const text = trimmed(vr, raw);
  if (text === '') return null;
  if (vr === 'PN') return personName(text);
  if (vr === 'DS' || vr === 'IS') {
    const value = Number(text);
    return Number.isFinite(value) ? value : text;
  }
  return text;
}

/** Padding at the end never counts; spaces in front do where a value may be an identifier typed that way. */
function trimmed(vr: string, raw: string): string {
  // NUL pads UI by the standard and, in the field, everything else.
  let end = raw.length;
  while (end > 0 && (raw.charCodeAt(end - 1) === 0 || raw.charCodeAt(end - 1) === 0x20)) end--;
  const text = raw.slice(0, end);
  return ['CS', 'DS', 'IS', 'AE', 'DA', 'TM', 'UI'].includes(vr) ? text.trimStart() : text;
}

function personName(text: string): JsonValue {
  const [alphabetic, ideographic, phonetic] = text.split('=').map((group) => group.trimEnd());
  const name: PersonNameJson = {
    ...(alphabetic ? { Alphabetic: alphabetic } : {}),
    ...(ideographic ? { Ideographic: ideographic } : {}),
    ...(phonetic ? { Phonetic: phonetic } : {}),
  };
  return Object.keys(name).length > 0 ? name : null;
}

/** Bytes in the order every answer uses. */
function littleEndianBytes(vr: string, bytes: Buffer, bigEndian: boolean): Buffer {
  if (!bigEndian) return bytes;
  const copy = Buffer.from(bytes);
  if (vr === 'OW' && copy.length % 2 === 0) return copy.swap16();
  if ((vr === 'OF' || vr === 'OL') && copy.length % 4 === 0) return copy.swap32();
  if ((vr === 'OD' || vr === 'OV') && copy.length % 8 === 0) return copy.swap64();
  return copy;
}
