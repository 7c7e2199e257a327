/**
 * PS3.5 §7: a data set in any of the native encodings, read element by element through a window. Values of any size are stepped
 * over, nesting is a list and not the call stack, and every length is checked against what really follows.
 */
import type { ByteSource } from './byte-source.ts';
import { type TextDecoding, textDecoding } from './charset.ts';
import { entryOfTag, implicitVr, tagForPeople, tagText } from './dictionary.ts';
import { readElementHeader, undefinedLength } from './element-header.ts';
import { DicomFailure, failureReason } from './failure.ts';
import { type Fragments, readFragments } from './fragments.ts';
import type { DicomJson, JsonElement } from './json-model.ts';
import type { TransferSyntax } from './transfer-syntax.ts';
import { binaryVrs, jsonElement } from './values.ts';

/** Bytes of a value that are not in the JSON: where they are. */
export interface BulkValue {
  /** `7FE00010`, or `00880200/0/7FE00010` inside a sequence. */
  path: string;
  vr: string;
  offset: number;
  length: number;
  bigEndian: boolean;
  /** Set when the value is encapsulated (PS3.5 §A.4). */
  fragments?: Fragments;
}

export interface ParsedDataset {
  dataset: DicomJson;
  bulk: BulkValue[];
}

/** What precedes the address of an instance's bulk data in the stored JSON; the public address is put in when it is served. */
export const bulkDataMark = 'bulkdata:';

const maximumDepth = 128;
const maximumElements = 1_000_000;
/** Bytes of values one instance may bring into memory; enhanced objects with 10,000 frames need about 20 MB. */
const maximumInlineBytes = 32 * 1024 * 1024;
const inlineBinaryBytes = 1024;
const inlineTextBytes = 64 * 1024;

const itemTag = 0xfffee000;
const itemEnd = 0xfffee00d;
const sequenceEnd = 0xfffee0dd;
const characterSet = '00080005';

interface Level {
  /** Elements of an item (or of the root), or items of a sequence. */
  elements?: DicomJson;
  items?: DicomJson[];
  /** Position after the last byte; undefined when a delimiter ends it. */
  end: number | undefined;
  /** No byte of it can be at or after this position. */
  limit: number;
  path: string;
  explicitVr: boolean;
  bigEndian: boolean;
  fresh: boolean;
}

/**
 * Reads from `start` to the end of the source.
 * @throws DicomFailure when the bytes are not a whole, well-formed data set; what was read of the identity is on the error.
 */
export async function parseDataset(source: ByteSource, start: number, syntax: TransferSyntax): Promise<ParsedDataset> {
  const root: DicomJson = {};
  try {
    return { dataset: root, bulk: await readInto(root, source, start, syntax) };
  } catch (error) {
    if (error instanceof DicomFailure) {
      error.sopClassUid ??= firstText(root['00080016']);
      error.sopUid ??= firstText(root['00080018']);
    }
    throw error;
  }
}

async function readInto(
  root: DicomJson,
  source: ByteSource,
  start: number,
  syntax: TransferSyntax,
): Promise<BulkValue[]> {
  const bulk: BulkValue[] = [];
  const stack: Level[] = [
    {
      elements: root,
      end: source.size,
      limit: source.size,
      path: '',
      explicitVr: syntax.explicitVr,
      bigEndian: syntax.bigEndian,
      fresh: true,
    },
  ];
  let decode = textDecoding([]);
  let position = start;
  let elements = 0;
  let inlineBytes = 0;

  for (let level = stack.at(-1); level; level = stack.at(-1)) {
    if (level.end !== undefined && position >= level.end) {
      if (position > level.end) throw malformed(level, 'an element runs past the end of what holds it');
      stack.pop();
      continue;
    }
    if (position + 8 > level.limit) {
      if (stack.length === 1 && (await isPadding(source, position))) return bulk;
      throw malformed(level, 'the data set ends inside an element');
    }
    if (!source.has(position, 12)) await source.load(position, Math.min(12, level.limit - position));
    if (++elements > maximumElements)
      throw new DicomFailure(failureReason.resources, 'The data set has too many elements.');

    if (level.items) {
      position = readItem(level, level.items, source, position, stack);
      continue;
    }
    const header = readElementHeader(source, position, level);
    level.fresh = false;
    if (header.tag === itemEnd) {
      if (level.end !== undefined || stack.length === 1)
        throw malformed(level, 'an item delimiter stands where there is no item to end');
      position += 8;
      stack.pop();
      continue;
    }
    const { tag, length } = header;
    const value = position + header.bytes;
    const path = level.path + tagText(tag);
    const target = level.elements ?? {};
    const name = tagText(tag);
    if (target[name]) throw new DicomFailure(failureReason.dataSet, `Element ${tagForPeople(tag)} is there twice.`);
    const vr = resolvedVr(header.vr, tag, length, root);

    if (vr === 'SQ') {
      if (stack.length >= maximumDepth) {
        throw new DicomFailure(
          failureReason.resources,
          `Sequences are nested more than ${maximumDepth / 2} deep at ${tagForPeople(tag)}.`,
        );
      }
      const items: DicomJson[] = [];
      target[name] = { vr, Value: items };
      // PS3.5 §6.2.2: a sequence hidden under UN is in implicit VR little endian, whatever surrounds it.
      const hidden = header.vr === 'UN';
      stack.push(sequenceLevel(level, items, value, length, path, hidden));
      position = value;
      continue;
    }
    if (length === undefinedLength) {
      if (!binaryVrs.has(vr)) throw malformed(level, `${tagForPeople(tag)} has no length`);
      const fragments = await readFragments(source, value, level.limit);
      target[name] = { vr, BulkDataURI: bulkDataMark + path };
      bulk.push({ path, vr, offset: value, length: fragments.end - value, bigEndian: false, fragments });
      position = fragments.end;
      continue;
    }
    if (value + length > level.limit) throw malformed(level, `${tagForPeople(tag)} is longer than what was received`);
    position = value + length;
    if ((tag & 0xffff) === 0) continue;
    if (length > (binaryVrs.has(vr) ? inlineBinaryBytes : inlineTextBytes) || (path === '7FE00010' && length > 0)) {
      target[name] = { vr, BulkDataURI: bulkDataMark + path };
      bulk.push({ path, vr, offset: value, length, bigEndian: level.bigEndian });
      continue;
    }
    inlineBytes += length;
    if (inlineBytes > maximumInlineBytes)
      throw new DicomFailure(failureReason.resources, 'The header of the data set is too large.');
    if (!source.has(value, length)) await source.load(value, length);
    const bytes = source.bytes(value, length);
    target[name] = jsonElement(tag, vr, bytes, level.bigEndian, decode);
    if (path === characterSet) decode = decoderFor(bytes);
  }
  return bulk;
}

function readItem(level: Level, items: DicomJson[], source: ByteSource, position: number, stack: Level[]): number {
  const bytes = source.bytes(position, 8);
  const tag = level.bigEndian
    ? bytes.readUInt16BE(0) * 0x10000 + bytes.readUInt16BE(2)
    : bytes.readUInt16LE(0) * 0x10000 + bytes.readUInt16LE(2);
  const length = level.bigEndian ? bytes.readUInt32BE(4) : bytes.readUInt32LE(4);
  const start = position + 8;
  if (tag === sequenceEnd && level.end === undefined) {
    stack.pop();
    return start;
  }
  if (tag !== itemTag) throw malformed(level, 'a sequence holds something that is not an item');
  const end = length === undefinedLength ? undefined : start + length;
  if (end !== undefined && end > level.limit) throw malformed(level, 'an item is longer than its sequence');
  const elements: DicomJson = {};
  stack.push({
    elements,
    end,
    limit: end ?? level.limit,
    path: `${level.path}${items.length}/`,
    explicitVr: level.explicitVr,
    bigEndian: level.bigEndian,
    fresh: true,
  });
  items.push(elements);
  return start;
}

function sequenceLevel(
  parent: Level,
  items: DicomJson[],
  start: number,
  length: number,
  path: string,
  hidden: boolean,
): Level {
  const end = length === undefinedLength ? undefined : start + length;
  if (end !== undefined && end > parent.limit) throw malformed(parent, 'a sequence is longer than what was received');
  return {
    items,
    end,
    limit: end ?? parent.limit,
    path: `${path}/`,
    explicitVr: parent.explicitVr && !hidden,
    bigEndian: parent.bigEndian && !hidden,
    fresh: false,
  };
}

/** UN of a public element is read as what the dictionary says; US-or-SS by Pixel Representation (PS3.5 Annex A.1). */
function resolvedVr(vr: string | undefined, tag: number, length: number, root: DicomJson): string {
  if (vr === 'UN' && length === undefinedLength) return 'SQ';
  if (vr !== undefined && vr !== 'UN') return vr;
  const known = implicitVr(tag);
  if (vr === 'UN' && (known === 'SQ' || known === 'OW' || known === 'OB')) return 'UN';
  if (known === 'UN' && length === undefinedLength) return 'SQ';
  return known === 'US' && entryOfTag(tag)?.vr === 'xs' && root['00280103']?.Value?.[0] === 1 ? 'SS' : known;
}

function decoderFor(bytes: Buffer): TextDecoding {
  return textDecoding(
    bytes
      .toString('latin1')
      .split('\\')
      .map((term) => term.replaceAll('\0', '').trim()),
  );
}

/** Some writers fill the last sector with zeros. */
async function isPadding(source: ByteSource, position: number): Promise<boolean> {
  const length = source.size - position;
  await source.load(position, length);
  return source.bytes(position, length).every((byte) => byte === 0);
}

function malformed(level: Level, what: string): DicomFailure {
  const where = level.path === '' ? '' : ` (in ${level.path.replace(/\/$/, '')})`;
  return new DicomFailure(failureReason.unreadable, `Not a whole DICOM data set: ${what}${where}.`);
}

function firstText(element: JsonElement | undefined): string | undefined {
  const value = element?.Value?.[0];
  return typeof value === 'string' ? value : undefined;
}
