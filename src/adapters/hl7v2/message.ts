/** A parsed HL7 v2 message: segments, fields, components as plain text (escape sequences resolved, `""` read as absent). */
import { type Charset, decodeAs } from './charset.ts';
import { type Delimiters, unescapeText } from './escape.ts';
import { Refusal } from './refusal.ts';

/** One segment. Numbers are those of the standard: fields, components, sub-components from 1; repetitions from 0. */
export interface Segment {
  name: string;
  /** Occurrence among the segments of that name, from 1: ERR-2.2. */
  ordinal: number;
  /** How many repetitions field `n` has; 0 when it is empty. */
  repetitions(n: number): number;
  /** Text of a leaf, trimmed; undefined when empty or `""`. */
  value(n: number, component?: number, subcomponent?: number, repetition?: number): string | undefined;
  /** Text of a whole field, its delimiters kept, escape sequences resolved: for free text whose sender did not escape. */
  text(n: number): string | undefined;
}

export interface Message {
  delimiters: Delimiters;
  charset: Charset;
  segments: readonly Segment[];
  /** Lines that began no segment and were read as the rest of the text before them. */
  continued: number;
  /** First segment of that name. */
  first(name: string): Segment | undefined;
}

/** Most segments one message may have: bounds the work a hostile message can ask for. */
const maximumSegments = 20_000;

/** Parses decoded text. @throws Refusal `not-hl7`. */
export function parseMessage(text: string, charset: Charset): Message {
  const written = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .filter((line) => line.trim() !== '');
  const lines = segmentLines(written);
  const header = lines[0];
  if (!header || !/^MSH[^A-Za-z0-9\s]{5}/.test(header.slice(0, 8)) || lines.length > maximumSegments)
    throw new Refusal('not-hl7');
  const delimiters = readDelimiters(header);
  const plain = (value: string) => unescapeText(value, delimiters, (octets) => decodeAs(octets, charset));
  const counts = new Map<string, number>();
  const segments = lines.map((line) => {
    const fields = fieldsOf(line, delimiters);
    const name = fields[0] ?? '';
    const ordinal = (counts.get(name) ?? 0) + 1;
    counts.set(name, ordinal);
    return segmentOf({ name, ordinal, fields }, delimiters, plain);
  });
  const continued = written.length - lines.length;
  return {
    delimiters,
    charset,
    segments,
    continued,
    first: (name) => segments.find((segment) => segment.name === name),
  };
}

/**
 * Lines that begin with the name of a segment. A sender that does not escape the line ends of a free text breaks it into lines of which only
 * the first would be read: the others are joined to it again, so that nothing of the text is lost.
 */
function segmentLines(written: readonly string[]): string[] {
  const separator = written[0]?.[3] ?? '|';
  const lines: string[] = [];
  for (const line of written) {
    const trimmed = line.trimStart();
    const begins = /^[A-Z][A-Z0-9]{2}$/.test(trimmed.slice(0, 3)) && (trimmed[3] ?? separator) === separator;
    if (begins || lines.length === 0) lines.push(begins ? trimmed : line);
    else lines[lines.length - 1] += `\n${line}`;
  }
  return lines;
}

/** Fields by their number in the standard: MSH-1 is the separator itself, so that MSH-2 is the first after it (v2.5.1 §2.14.9.1). */
function fieldsOf(line: string, { field }: Delimiters): string[] {
  const fields = line.split(field);
  return fields[0] === 'MSH' ? ['MSH', field, ...fields.slice(1)] : fields;
}

function segmentOf(
  { name, ordinal, fields }: { name: string; ordinal: number; fields: readonly string[] },
  delimiters: Delimiters,
  plain: (value: string) => string,
): Segment {
  // What MSH-1 and MSH-2 say are the delimiters: nothing there is delimited.
  const verbatim = (n: number) => name === 'MSH' && n <= 2;
  const repetitionsOf = (n: number): string[] => {
    const text = fields[n] ?? '';
    return verbatim(n) ? [text] : text.split(delimiters.repetition);
  };
  return {
    name,
    ordinal,
    repetitions: (n) => (fields[n] ? repetitionsOf(n).length : 0),
    value(n, component = 1, subcomponent = 1, repetition = 0) {
      const text = repetitionsOf(n)[repetition] ?? '';
      if (verbatim(n)) return component === 1 && subcomponent === 1 ? present(text) : undefined;
      const leaves = text.split(delimiters.component)[component - 1]?.split(delimiters.subcomponent);
      return present(plain(leaves?.[subcomponent - 1] ?? ''));
    },
    text: (n) => present(verbatim(n) ? (fields[n] ?? '') : plain(fields[n] ?? '')),
  };
}

/** The five delimiters of an MSH segment. */
export function readDelimiters(header: string): Delimiters {
  const at = (index: number, standard: string) => header[index] ?? standard;
  return {
    field: at(3, '|'),
    component: at(4, '^'),
    repetition: at(5, '~'),
    escape: at(6, '\\'),
    subcomponent: at(7, '&'),
  };
}

function present(value: string): string | undefined {
  const trimmed = value.trim();
  return trimmed === '' || trimmed === '""' ? undefined : trimmed;
}
