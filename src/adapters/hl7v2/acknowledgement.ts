/** The technical acknowledgement (ACK): what it repeats from the original's header, MSA, ERR. */
import { randomBytes } from 'node:crypto';
import { type Charset, decode, encodeLossy } from './charset.ts';
import { escapeText, unescapeText } from './escape.ts';
import { readDelimiters } from './message.ts';
import type { Refusal } from './refusal.ts';
import type { Tables } from './tables.ts';
import { formatTimestamp, type TimeZone } from './timestamp.ts';

/** MSH of a message, read without a full parse so that even an unreadable one can be answered. */
export interface Header {
  sendingApplication: string;
  sendingFacility: string;
  receivingApplication: string;
  receivingFacility: string;
  /** MSH-7 as sent. */
  timestamp: string;
  /** MSH-9.1 and MSH-9.2. */
  type: string;
  event: string;
  controlId: string;
  processingId: string;
  /** MSH-12.1 */
  version: string;
  /** MSH-21, all of it. */
  profile: string;
  charset: Charset;
  /** MSH-3.1|MSH-4.1: who sends, as registered. */
  sender: string;
}

/** Longest name or control id kept; beyond it nobody means it seriously. */
const maximumLength = 199;

/** Reads the header of octets that may be anything; what is absent is ''. */
export function readHeader(bytes: Buffer): Header {
  // The header is at the beginning and short: no need to decode megabytes of document for it.
  const { text, charset } = decode(firstSegment(bytes));
  const line = text.replace(/^\uFEFF/, '').split(/[\r\n]/, 1)[0] ?? '';
  const usable = line.startsWith('MSH') && line.length > 8;
  const delimiters = readDelimiters(usable ? line : '');
  const fields = usable ? line.split(delimiters.field) : [];
  const clean = (value: string) =>
    unescapeText(value, delimiters)
      .replace(/\p{Cc}/gu, '')
      .trim()
      .slice(0, maximumLength);
  const leaf = (n: number, component = 1) => {
    const repetition = (fields[n - 1] ?? '').split(delimiters.repetition)[0] ?? '';
    return clean((repetition.split(delimiters.component)[component - 1] ?? '').split(delimiters.subcomponent)[0] ?? '');
  };
  const sendingApplication = leaf(3);
  const sendingFacility = leaf(4);
  return {
    sendingApplication,
    sendingFacility,
    receivingApplication: leaf(5),
    receivingFacility: leaf(6),
    timestamp: leaf(7),
    type: leaf(9),
    event: leaf(9, 2),
    controlId: clean(fields[9] ?? ''),
    processingId: leaf(11),
    version: leaf(12),
    profile: clean(fields[20] ?? ''),
    charset,
    sender: `${sendingApplication}|${sendingFacility}`,
  };
}

/** Our name on the wire when the message did not say how it calls us. */
export interface Identity {
  application: string;
  facility: string;
}

/** Renders the acknowledgement of a message, in its own character set. `refusal` undefined: AA, with what the sender is to be told. */
export function acknowledge(
  header: Header,
  refusal: Refusal | undefined,
  tables: Tables,
  circumstances: { now: Date; zone: TimeZone; identity: Identity; notices?: readonly string[] },
): { code: 'AA' | 'AE' | 'AR'; bytes: Buffer; reason: string | undefined } {
  const { now, zone, identity, notices = [] } = circumstances;
  const error = refusal && tables.errors.errors[refusal.kind];
  const code = error?.ack ?? 'AA';
  const reason = error && refusal ? fill(error.text, refusal.values) : undefined;
  const msh = [
    'MSH',
    '^~\\&',
    escapeText(header.receivingApplication || identity.application),
    escapeText(header.receivingFacility || identity.facility),
    escapeText(header.sendingApplication),
    escapeText(header.sendingFacility),
    formatTimestamp(now, zone),
    '',
    header.event ? `ACK^${escapeText(header.event)}^ACK` : 'ACK',
    newControlId(),
    escapeText(header.processingId) || 'P',
    answerVersion(header, tables),
    '',
    '',
    '',
    '',
    'FRA',
    header.charset === 'ASCII' ? '' : header.charset,
  ];
  const segments = [msh.join('|').replace(/(?<!\|)\|+$/, ''), `MSA|${code}|${escapeText(header.controlId)}`];
  if (error && reason !== undefined) {
    const condition = `${error.code}^${tables.errors.conditions[error.code] ?? ''}^${tables.errors.system}`;
    segments.push(`ERR||${refusal?.location ?? ''}|${condition}|E||||${escapeText(reason)}`);
  }
  // Table 0516: a warning; the message was accepted (table 0357).
  for (const notice of error ? [] : notices)
    segments.push(`ERR|||0^Message accepted^${tables.errors.system}|W||||${escapeText(notice)}`);
  return { code, bytes: encodeLossy(`${segments.join('\r')}\r`, header.charset), reason };
}

/** Family of a message in the tables: by MSH-9.1 and, where two share it, by the profile of MSH-21. */
export function familyOf(header: Header, tables: Tables) {
  return tables.flows.families.find(
    (family) =>
      family.types.includes(header.type) && (family.profile === undefined || header.profile.includes(family.profile)),
  );
}

/** A control id of our own: 20 characters at most, unique without a counter to keep. */
function newControlId(): string {
  return `PSR${BigInt(`0x${randomBytes(10).toString('hex')}`)
    .toString(36)
    .toUpperCase()
    .padStart(16, '0')}`;
}

function answerVersion(header: Header, tables: Tables): string {
  return familyOf(header, tables)?.answerVersion ?? tables.flows.acceptedVersions[0] ?? '2.5.1';
}

/** Text of an error with its placeholders filled. */
function fill(template: string, values: Record<string, string>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}

function firstSegment(bytes: Buffer): Buffer {
  const window = bytes.subarray(0, 16_384);
  const end = window.findIndex((octet, index) => index > 0 && (octet === 0x0d || octet === 0x0a));
  return end < 0 ? window : window.subarray(0, end);
}
