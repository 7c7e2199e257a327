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
  /** First segment of that name. */
  first(name: string): Segment | undefined;
}

/** Parses decoded text. @throws Refusal `not-hl7`. */
export type MessageParser = (text: string, charset: Charset) => Message;

/** Most segments one message may have: bounds the work a hostile message can ask for. */
const maximumSegments = 20_000;

/** Loads the parser. The library is imported here, not at the top: it costs 60 ms that a start without HL7 v2 need not pay. */
export async function openMessageParser(): Promise<MessageParser> {
  const { Hl7Message } = await import('@medplum/core');
  return (text, charset) => {
    const lines = text
      .replace(/^\uFEFF/, '')
      .split(/\r\n|\r|\n/)
      .filter((line) => line.trim() !== '');
    const header = lines[0];
    if (!header || !/^MSH[^A-Za-z0-9\s]{5}/.test(header.slice(0, 8)) || lines.length > maximumSegments)
      throw new Refusal('not-hl7');
    const delimiters = readDelimiters(header);
    const parsed = Hl7Message.parse(lines.join('\r'));
    const counts = new Map<string, number>();
    const plain = (value: string) => unescapeText(value, delimiters, (octets) => decodeAs(octets, charset));
    const segments = parsed.segments.map((segment): Segment => {
      const ordinal = (counts.get(segment.name) ?? 0) + 1;
      counts.set(segment.name, ordinal);
      const field = (n: number) => segment.getField(n) as ReturnType<typeof segment.getField> | undefined;
      return {
        name: segment.name,
        ordinal,
        repetitions(n) {
          const found = field(n);
          return !found || found.toString() === '' ? 0 : found.components.length;
        },
        value(n, component = 1, subcomponent = 1, repetition = 0) {
          return present(plain(field(n)?.getComponent(component, subcomponent - 1, repetition) ?? ''));
        },
        text: (n) => present(plain(field(n)?.toString() ?? '')),
      };
    });
    return { delimiters, charset, segments, first: (name) => segments.find((segment) => segment.name === name) };
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
