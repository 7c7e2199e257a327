/** Hand-made DICOM files for tests of encodings the synthetic CT does not use. */

export interface TestFileOptions {
  transferSyntax?: string;
  /** Elements besides the identity, as tag, VR and bytes; written in the order given. */
  elements?: readonly (readonly [tag: number, vr: string, value: Buffer | string])[];
  /** Raw bytes after the elements (pixel data, broken things). */
  tail?: Buffer;
  /** Default: Raw Data Storage, which may have pixels or not. */
  sopClassUid?: string;
  modality?: string;
  studyUid?: string;
  sopUid?: string;
}

const longForm = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);

export function element(tag: number, vr: string, value: Buffer | string, bigEndian = false, length?: number): Buffer {
  const text = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  const body = text.length % 2 === 0 ? text : Buffer.concat([text, Buffer.from(vr === 'UI' ? '\0' : ' ')]);
  const head = Buffer.alloc(longForm.has(vr) ? 12 : 8);
  const u16 = (at: number, number: number) =>
    bigEndian ? head.writeUInt16BE(number, at) : head.writeUInt16LE(number, at);
  u16(0, tag >>> 16);
  u16(2, tag & 0xffff);
  head.write(vr, 4, 'latin1');
  const size = length ?? body.length;
  if (!longForm.has(vr)) u16(6, size);
  else if (bigEndian) head.writeUInt32BE(size, 8);
  else head.writeUInt32LE(size, 8);
  return Buffer.concat([head, body]);
}

/** An item of a sequence or of encapsulated pixel data. */
export function item(body: Buffer): Buffer {
  const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
}

/** Encapsulated pixel data: the offset table, then the fragments. */
export function encapsulated(table: readonly number[], fragments: readonly Buffer[]): Buffer {
  const offsets = Buffer.alloc(table.length * 4);
  for (const [index, offset] of table.entries()) offsets.writeUInt32LE(offset, index * 4);
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  return Buffer.concat([
    element(0x7fe00010, 'OB', Buffer.alloc(0), false, 0xffffffff),
    item(offsets),
    ...fragments.map(item),
    end,
  ]);
}

export function u16(number: number, bigEndian = false): Buffer {
  const bytes = Buffer.alloc(2);
  if (bigEndian) bytes.writeUInt16BE(number);
  else bytes.writeUInt16LE(number);
  return bytes;
}

export function testFile(options: TestFileOptions = {}): Buffer {
  const syntax = options.transferSyntax ?? '1.2.840.10008.1.2.1';
  const big = syntax === '1.2.840.10008.1.2.2';
  const studyUid = options.studyUid ?? '2.25.6001';
  const identity: [number, string, string][] = [
    [0x00080016, 'UI', options.sopClassUid ?? '1.2.840.10008.5.1.4.1.1.66'],
    [0x00080018, 'UI', options.sopUid ?? `${studyUid}.1.1`],
    [0x00080060, 'CS', options.modality ?? 'OT'],
    [0x00100010, 'PN', 'TEST^FICHIER'],
    [0x00100020, 'LO', 'IPP-6001'],
    [0x0020000d, 'UI', studyUid],
    [0x0020000e, 'UI', `${studyUid}.1`],
  ];
  const meta = element(0x00020010, 'UI', syntax);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(meta.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element(0x00020000, 'UL', length),
    meta,
    ...[...identity, ...(options.elements ?? [])].map(([tag, vr, value]) => element(tag, vr, value, big)),
    options.tail ?? Buffer.alloc(0),
  ]);
}
