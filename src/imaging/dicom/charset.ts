/**
 * PS3.5 §6.1 and PS3.3 §C.12.1.1.2: text of a data set in the repertoires that Specific Character Set (0008,0005) names, ISO 2022
 * switching included, into JavaScript strings. Bytes that cannot be what was declared never fail: an image must not be lost for an accent.
 */
import iconv from 'iconv-lite';

/** Decodes one value. */
export type TextDecoding = (bytes: Buffer) => string;

/** Single-byte repertoires by ISO-IR number. */
const singleByte: Readonly<Record<string, string>> = {
  '6': 'latin1',
  '100': 'latin1',
  '101': 'iso-8859-2',
  '109': 'iso-8859-3',
  '110': 'iso-8859-4',
  '144': 'iso-8859-5',
  '127': 'iso-8859-6',
  '126': 'iso-8859-7',
  '138': 'iso-8859-8',
  '148': 'iso-8859-9',
  '203': 'iso-8859-15',
  '13': 'shift_jis',
  '166': 'iso-8859-11',
};

/** Escape sequences (without the ESC byte, as Latin-1 text) and the repertoire they select. */
const escapes: readonly (readonly [sequence: string, repertoire: string])[] = [
  ['(B', '6'],
  ['-A', '100'],
  ['-B', '101'],
  ['-C', '109'],
  ['-D', '110'],
  ['-L', '144'],
  ['-G', '127'],
  ['-F', '126'],
  ['-H', '138'],
  ['-M', '148'],
  ['-b', '203'],
  ['-T', '166'],
  ['(J', '13'],
  [')I', '13'],
  ['$B', '87'],
  ['$@', '87'],
  ['$(D', '159'],
  ['$)C', '149'],
  ['$)A', '58'],
];

const escapeByte = 0x1b;
/** Line feed, form feed, carriage return, backslash, `^` and `=` end what an escape sequence selected (PS3.5 §6.1.2.5.3). */
const resets: ReadonlySet<number> = new Set([0x0a, 0x0c, 0x0d, 0x5c, 0x5e, 0x3d]);

/**
 * Never reset by a delimiter: the Japanese sets use the codes of `^`, `=` and `\` as halves of characters; the Korean and Chinese
 * ones leave the low half to ASCII, and many writers do not repeat the escape sequence after `^`.
 */
const doubleByte: ReadonlySet<string> = new Set(['87', '159', '149', '58']);

/** @param terms values of (0008,0005); empty when the element is absent. */
export function textDecoding(terms: readonly string[]): TextDecoding {
  const numbers = terms.map(repertoireNumber);
  const first = numbers[0] ?? '';
  if (numbers.includes('192')) return decodeUtf8OrLatin1;
  if (first === 'GB18030' || first === 'GBK') return (bytes) => iconv.decode(bytes, 'gb18030');
  const initial = singleByte[first];
  if (numbers.length > 1 || terms.some((term) => /2022/.test(term))) {
    return (bytes) => decodeIso2022(bytes, initial ?? 'latin1');
  }
  // No repertoire declared, or one we do not know: what is not ASCII is most often UTF-8 or Latin-1. Under Latin-1 gateways write UTF-8, too: no
  // name in it happens to be UTF-8, and read as declared `DUPRÃ‰` would be another patient than the request's.
  const isDoubtful = initial === undefined || first === '6' || first === '100';
  return isDoubtful ? decodeUtf8OrLatin1 : (bytes) => decodePlain(bytes, initial);
}

/** `ISO_IR 100`, `ISO 2022 IR 87` and their misspellings → the number; GB18030 and GBK as they are. */
function repertoireNumber(term: string): string {
  const text = term.trim().toUpperCase();
  return /IR[\s_-]*(\d+)$/.exec(text)?.[1] ?? text;
}

function decodeUtf8OrLatin1(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? bytes.toString('latin1') : text;
}

function decodePlain(bytes: Buffer, encoding: string): string {
  return encoding === 'latin1' ? bytes.toString('latin1') : iconv.decode(bytes, encoding);
}

function decodeIso2022(bytes: Buffer, initial: string): string {
  let text = '';
  let start = 0;
  let repertoire: string | undefined;
  const flush = (end: number) => {
    if (end > start) text += decodeSegment(bytes.subarray(start, end), repertoire, initial);
  };
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === escapeByte) {
      const following = bytes.toString('latin1', at + 1, at + 4);
      const found = escapes.find(([sequence]) => following.startsWith(sequence));
      flush(at);
      repertoire = found?.[1];
      start = at + 1 + (found?.[0].length ?? 0);
      at = start - 1;
    } else if (repertoire !== undefined && !doubleByte.has(repertoire) && resets.has(byte)) {
      flush(at);
      repertoire = undefined;
      start = at;
    }
  }
  flush(bytes.length);
  return text;
}

function decodeSegment(bytes: Buffer, repertoire: string | undefined, initial: string): string {
  switch (repertoire) {
    case undefined:
      return decodePlain(bytes, initial);
    case '87':
      return iconv.decode(setHighBits(bytes), 'euc-jp');
    case '159':
      return iconv.decode(withSingleShift(setHighBits(bytes)), 'euc-jp');
    case '149':
      return iconv.decode(bytes, 'euc-kr');
    case '58':
      return iconv.decode(bytes, 'gb2312');
    default:
      return decodePlain(bytes, singleByte[repertoire] ?? initial);
  }
}

function setHighBits(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => byte | 0x80));
}

/** EUC-JP announces each character of JIS X 0212 by 0x8F. */
function withSingleShift(bytes: Buffer): Buffer {
  const pairs: number[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) pairs.push(0x8f, bytes[at] ?? 0, bytes[at + 1] ?? 0);
  return Buffer.from(pairs);
}
