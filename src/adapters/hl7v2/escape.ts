/** Escape sequences of HL7 v2 (chapter 2, "use of escape sequences in text fields"). */

/** The five delimiters, as MSH-1 and MSH-2 announce them. */
export interface Delimiters {
  field: string;
  component: string;
  repetition: string;
  escape: string;
  subcomponent: string;
}

/** The delimiters everybody uses, and that we always write. */
export const standardDelimiters: Delimiters = {
  field: '|',
  component: '^',
  repetition: '~',
  escape: '\\',
  subcomponent: '&',
};

/**
 * Plain text of a field's leaf: delimiters restored, `\.br\` and `\.sp\` as line ends, `\Xnn\` as octets of the message's
 * character set, highlighting dropped. What is not a known sequence stays as it is: text is never lost.
 * @param decodeOctets text of the octets of `\Xnn…\`; undefined when they mean nothing, the sequence then stays.
 */
export function unescapeText(
  text: string,
  delimiters: Delimiters = standardDelimiters,
  decodeOctets: (octets: Buffer) => string | undefined = (octets) => octets.toString('utf8'),
): string {
  const marker = delimiters.escape;
  if (!text.includes(marker)) return text;
  let result = '';
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf(marker, at);
    if (start < 0) return result + text.slice(at);
    const end = text.indexOf(marker, start + 1);
    if (end < 0) return result + text.slice(at);
    const meaning = sequence(text.slice(start + 1, end), delimiters, decodeOctets);
    result += text.slice(at, start);
    if (meaning === undefined) {
      // The closing character may open the next sequence: only the first one is taken as text.
      result += text.slice(start, end);
      at = end;
    } else {
      result += meaning;
      at = end + 1;
    }
  }
  return result;
}

/** The same text as a leaf that `unescapeText` reads back exactly. */
export function escapeText(text: string, delimiters: Delimiters = standardDelimiters): string {
  let result = '';
  for (const character of text) {
    if (character === delimiters.escape) result += wrap('E', delimiters);
    else if (character === delimiters.field) result += wrap('F', delimiters);
    else if (character === delimiters.component) result += wrap('S', delimiters);
    else if (character === delimiters.subcomponent) result += wrap('T', delimiters);
    else if (character === delimiters.repetition) result += wrap('R', delimiters);
    else if (character === '\n') result += wrap('.br', delimiters);
    else if (isControl(character)) result += wrap(`X${hex(character)}`, delimiters);
    else result += character;
  }
  return result;
}

function sequence(
  body: string,
  delimiters: Delimiters,
  decodeOctets: (octets: Buffer) => string | undefined,
): string | undefined {
  switch (body) {
    case 'E':
      return delimiters.escape;
    case 'F':
      return delimiters.field;
    case 'S':
      return delimiters.component;
    case 'T':
      return delimiters.subcomponent;
    case 'R':
      return delimiters.repetition;
    case 'H':
    case 'N':
      return '';
  }
  if (/^X([0-9A-Fa-f]{2})+$/.test(body)) return decodeOctets(Buffer.from(body.slice(1), 'hex'));
  if (body === '.br' || body === '.ce') return '\n';
  const spaces = /^\.sp\s?(\d{0,2})$/.exec(body);
  if (spaces) return '\n'.repeat(Math.max(1, Number(spaces[1] || '1')));
  if (/^\.(fi|nf|in[+-]?\d*|ti[+-]?\d*|sk\s?\d*)$/.test(body)) return '';
  return undefined;
}

function wrap(body: string, delimiters: Delimiters): string {
  return delimiters.escape + body + delimiters.escape;
}

function isControl(character: string): boolean {
  const code = character.charCodeAt(0);
  return character.length === 1 && (code < 0x20 || code === 0x7f);
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}
