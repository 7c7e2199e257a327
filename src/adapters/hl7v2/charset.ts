/**
 * Character sets of MSH-18 (HL7 table 0211) as the French volumes use them. The octets are read with the announced set, never
 * with what the transport believes; 8859/15 is Latin-9 (€ and œ are not where Latin-1 has other signs).
 */
import iconv from 'iconv-lite';

/** MSH-18 values we read; the first two are those of the national volumes. */
export type Charset = 'UNICODE UTF-8' | '8859/15' | '8859/1' | 'ASCII';

const encodings: Record<Charset, string> = {
  'UNICODE UTF-8': 'utf-8',
  '8859/15': 'iso-8859-15',
  '8859/1': 'iso-8859-1',
  ASCII: 'ascii',
};

const spellings: Record<string, Charset> = {
  'UNICODE UTF-8': 'UNICODE UTF-8',
  UNICODE: 'UNICODE UTF-8',
  'UTF-8': 'UNICODE UTF-8',
  UTF8: 'UNICODE UTF-8',
  '8859/15': '8859/15',
  'ISO-8859-15': '8859/15',
  '8859/1': '8859/1',
  'ISO-8859-1': '8859/1',
  ASCII: 'ASCII',
};

/** Outcome of reading the octets. */
export type Decoded =
  /** `warning`: the octets are not quite of the set, and what they mean is certain all the same; French. */
  | { text: string; charset: Charset; warning?: string }
  /** `text` is a Latin-1 reading, good enough to answer with. */
  | { text: string; charset: Charset; problem: 'bad-charset' | 'charset-missing' | 'charset-mismatch' };

/** Reads a message's octets with the character set its own MSH-18 announces. An absent MSH-18 means ASCII, as in HL7. */
export function decode(bytes: Buffer): Decoded {
  const latin = bytes.toString('latin1');
  const announced = announcedCharset(latin);
  const plain = isAscii(bytes);
  if (announced === '') {
    return plain
      ? { text: latin, charset: 'ASCII' }
      : { text: latin, charset: 'UNICODE UTF-8', problem: 'charset-missing' };
  }
  const charset = spellings[announced.toUpperCase()];
  if (!charset) return { text: latin, charset: 'UNICODE UTF-8', problem: 'bad-charset' };
  if (plain) return { text: latin, charset };
  if (charset === '8859/15' || charset === '8859/1') {
    // Any octet is a character of these sets, so a lie would pass unseen: but no French text in them happens to be UTF-8.
    if (decodeAs(bytes, 'UNICODE UTF-8') !== undefined) return { text: latin, charset, problem: 'charset-mismatch' };
    // Octets 80 to 9F are invisible controls there: they are the Œ and the apostrophe of a Windows program.
    if (bytes.some((octet) => octet >= 0x80 && octet <= 0x9f)) {
      const warning = `MSH-18 annonce ${charset}, les octets sont du Windows-1252 et lus comme tels`;
      return { text: iconv.decode(bytes, 'windows-1252'), charset, warning };
    }
  }
  const text = decodeAs(bytes, charset);
  return text === undefined ? { text: latin, charset, problem: 'charset-mismatch' } : { text, charset };
}

/** The same of what people only read: without an announcement, or against it, UTF-8 where the octets are, else Latin-9. */
export function decodeForPeople(bytes: Buffer): string {
  const decoded = decode(bytes);
  if (!('problem' in decoded)) return decoded.text;
  return decodeAs(bytes, 'UNICODE UTF-8') ?? decodeAs(bytes, '8859/15') ?? decoded.text;
}

/** Text of octets in a known character set; undefined when they are not of it. */
export function decodeAs(bytes: Uint8Array, charset: Charset): string | undefined {
  if (charset === 'UNICODE UTF-8') {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
    } catch {
      return undefined;
    }
  }
  if (charset === 'ASCII' && !isAscii(bytes)) return undefined;
  return iconv.decode(bytes, encodings[charset]);
}

/** Octets of a text; `undefined` when the character set lacks one of its characters. */
export function encode(text: string, charset: Charset): Buffer | undefined {
  if (charset === 'UNICODE UTF-8') return Buffer.from(text, 'utf8');
  if (charset === 'ASCII') return isAsciiText(text) ? Buffer.from(text, 'latin1') : undefined;
  const bytes = iconv.encode(text, encodings[charset]);
  return iconv.decode(bytes, encodings[charset]) === text ? bytes : undefined;
}

/** Octets of an acknowledgement in the character set of the original: what it cannot write loses its accent, else becomes `?`. */
export function encodeLossy(text: string, charset: Charset): Buffer {
  const exact = encode(text, charset);
  if (exact) return exact;
  const simpler = [...text]
    .map((character) => {
      if (encode(character, charset)) return character;
      const bare = character.replace('’', "'").replace('œ', 'oe').normalize('NFD').replace(/\p{M}/gu, '');
      return encode(bare, charset) ? bare : '?';
    })
    .join('');
  return encode(simpler, charset) ?? Buffer.from(simpler, 'latin1');
}

/** MSH-18 (first repetition) of a message read as Latin-1; '' when there is none. */
function announcedCharset(latin: string): string {
  const end = latin.search(/[\r\n]/);
  const header = (end < 0 ? latin : latin.slice(0, end)).replace(/^\u00EF\u00BB\u00BF/, '');
  if (!header.startsWith('MSH')) return '';
  const separator = header[3];
  const repetition = header[5];
  if (!separator) return '';
  // MSH-1 is the separator itself: after splitting, MSH-n is element n − 1.
  const field = header.split(separator, 18)[17] ?? '';
  return (repetition ? (field.split(repetition)[0] ?? '') : field).trim();
}

function isAscii(bytes: Uint8Array): boolean {
  for (const octet of bytes) if (octet > 0x7f) return false;
  return true;
}

function isAsciiText(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}
