/** Writes segments by field number, and the header every message of ours has. */
import { type Charset, encode } from './charset.ts';
import { escapeText } from './escape.ts';
import { formatTimestamp, type TimeZone } from './timestamp.ts';

/** A segment from its fields by number; the values are already escaped. Trailing empty fields are left out. */
export function line(name: string, fields: Record<number, string | undefined>): string {
  const highest = Math.max(0, ...Object.keys(fields).map(Number));
  const values = Array.from({ length: highest }, (_, index) => fields[index + 1] ?? '');
  return [name, ...values].join('|').replace(/(?<!\|)\|+$/, '');
}

/** Names of both sides, and what the header says of the message. */
export interface Envelope {
  sendingApplication: string;
  sendingFacility: string;
  receivingApplication: string;
  receivingFacility: string;
  /** MSH-10 */
  controlId: string;
  /** MSH-11: `P` production, `T` test. */
  processingId: string;
  now: Date;
  zone: TimeZone;
  charset: 'UNICODE UTF-8' | '8859/15';
}

/** The message in its character set; one that this set cannot write leaves in UTF-8, and says so. */
export function writeMessage(
  envelope: Envelope,
  header: { type: string; version: string; profile: string },
  segments: readonly string[],
): Buffer {
  const write = (charset: Charset) => encode(`${[msh(envelope, header, charset), ...segments].join('\r')}\r`, charset);
  return write(envelope.charset) ?? write('UNICODE UTF-8')!;
}

function msh(envelope: Envelope, header: { type: string; version: string; profile: string }, charset: Charset): string {
  // MSH-1 is the separator itself: the segment's first written field is MSH-2.
  return line('MSH', {
    1: '^~\\&',
    2: escapeText(envelope.sendingApplication),
    3: escapeText(envelope.sendingFacility),
    4: escapeText(envelope.receivingApplication),
    5: escapeText(envelope.receivingFacility),
    6: formatTimestamp(envelope.now, envelope.zone),
    8: header.type,
    9: envelope.controlId,
    10: envelope.processingId,
    11: header.version,
    16: 'FRA',
    17: charset,
    20: header.profile,
  });
}
