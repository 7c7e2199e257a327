/**
 * A strict scanner for the well-formed XML fragments that narrative is made of (https://www.w3.org/TR/xml/). It accepts less
 * than XML on purpose: what XML and HTML parsers read differently (CDATA, processing instructions, declarations, odd comments)
 * is how script passes filters.
 */

export interface XhtmlTag {
  name: string;
  /** In order, values decoded. */
  attributes: [name: string, value: string][];
}

/** Told of every start tag; a problem it returns ends the scan. */
export type XhtmlVisitor = (tag: XhtmlTag, depth: number) => string | undefined;

const maxNesting = 100;

const tagPattern = /<([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z_:][\w:.-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const attributePattern = /(?<![\w:.-])([A-Za-z_:][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const closePattern = /<\/([A-Za-z][A-Za-z0-9]*)\s*>/y;
const commentPattern = /<!--(?!>|->)((?:[^-]|-(?!-))*)-->/y;
const referencePattern = /&(?:([A-Za-z][A-Za-z0-9]*)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));/y;
const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** @returns what is not well-formed, or what the visitor found; undefined when one element was read whole. */
export function scanXhtml(source: string, visitor: XhtmlVisitor): string | undefined {
  const open: string[] = [];
  let position = source.length - source.trimStart().length;
  const end = source.trimEnd().length;
  let rootRead = false;
  while (position < end) {
    if (source[position] !== '<') {
      if (open.length === 0) return 'must be one element and nothing around it';
      const next = source.indexOf('<', position);
      const text = source.slice(position, next === -1 ? end : next);
      if (decode(text) === undefined) return 'has a character reference that XML does not know';
      position += text.length;
      continue;
    }
    const kind = source[position + 1];
    if (kind === '!') {
      const comment = matchAt(commentPattern, source, position);
      if (!comment) return 'is not well-formed';
      position += comment[0].length;
      continue;
    }
    if (kind === '/') {
      const close = matchAt(closePattern, source, position);
      if (!close || open.pop() !== close[1]) return 'is not well-formed: an end tag without its start';
      position += close[0].length;
      continue;
    }
    const start = matchAt(tagPattern, source, position);
    if (!start) return 'is not well-formed';
    if (open.length === 0 && rootRead) return 'must be one element and nothing around it';
    rootRead = true;
    const tag = readTag(start);
    if (typeof tag === 'string') return tag;
    const problem = visitor(tag, open.length);
    if (problem) return problem;
    if (!start[3]) open.push(tag.name);
    if (open.length > maxNesting) return `must not nest deeper than ${maxNesting}`;
    position += start[0].length;
  }
  if (open.length > 0) return 'is not well-formed: a start tag without its end';
  return rootRead ? undefined : 'must be one element';
}

/** Sticky patterns start at `lastIndex`, which is set here before every use. */
function matchAt(pattern: RegExp, source: string, position: number): RegExpExecArray | null {
  pattern.lastIndex = position;
  return pattern.exec(source);
}

function readTag(match: RegExpExecArray): XhtmlTag | string {
  const attributes: [string, string][] = [];
  if (match[2] === '') return { name: match[1]!, attributes };
  for (const [, name, double, single] of match[2]!.matchAll(attributePattern)) {
    const value = decode(double ?? single ?? '');
    if (value === undefined) return 'has a character reference that XML does not know';
    if (attributes.some(([other]) => other === name)) return 'is not well-formed: an attribute twice';
    attributes.push([name!, value]);
  }
  return { name: match[1]!, attributes };
}

/** Replaces character references; undefined when one is not XML's. HTML's own (`&nbsp;`) need a DTD that narrative has not. */
function decode(text: string): string | undefined {
  if (!text.includes('&')) return text;
  let decoded = '';
  let position = 0;
  while (position < text.length) {
    const next = text.indexOf('&', position);
    if (next === -1) return decoded + text.slice(position);
    const match = matchAt(referencePattern, text, next);
    const character =
      match && (match[1] ? named[match[1]] : codePoint(match[2] ? Number(match[2]) : Number.parseInt(match[3]!, 16)));
    if (!character) return undefined;
    decoded += text.slice(position, next) + character;
    position = next + match[0].length;
  }
  return decoded;
}

function codePoint(code: number): string | undefined {
  const isCharacter =
    code === 9 || code === 10 || code === 13 || (code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff));
  return isCharacter ? String.fromCodePoint(code) : undefined;
}
