/** PS3.10: a file in explicit VR little endian out of elements in the order of their tags. */

/** Tag, value representation, value. Several values are joined by a backslash. */
export type DicomElement =
  | readonly [tag: number, vr: 'CS' | 'DA' | 'DS' | 'IS' | 'LO' | 'PN' | 'SH' | 'TM' | 'UI', value: string]
  | readonly [tag: number, vr: 'US' | 'FD', value: number];

const explicitLittleEndian = '1.2.840.10008.1.2.1';
const implementation = '2.25.302043790172249692526321623266752743501';

/** The whole file: preamble, File Meta Information, elements, 16-bit Pixel Data. */
export function dicomFile(
  sopClassUid: string,
  sopInstanceUid: string,
  elements: readonly DicomElement[],
  pixels: Buffer,
): Buffer {
  const meta = Buffer.concat([
    binary(0x00020001, 'OB', Buffer.from([0, 1])),
    encoded([0x00020002, 'UI', sopClassUid]),
    encoded([0x00020003, 'UI', sopInstanceUid]),
    encoded([0x00020010, 'UI', explicitLittleEndian]),
    encoded([0x00020012, 'UI', implementation]),
    encoded([0x00020013, 'SH', 'PASSERELLE']),
  ]);
  const metaLength = Buffer.alloc(4);
  metaLength.writeUInt32LE(meta.length);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    short(0x00020000, 'UL', metaLength),
    meta,
    ...elements.map(encoded),
    binary(0x7fe00010, 'OW', pixels),
  ]);
}

function encoded([tag, vr, value]: DicomElement): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'utf8');
    const padding = vr === 'UI' ? '\0' : ' ';
    return short(tag, vr, bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(padding)]));
  }
  const number = Buffer.alloc(vr === 'US' ? 2 : 8);
  if (vr === 'US') number.writeUInt16LE(value);
  else number.writeDoubleLE(value);
  return short(tag, vr, number);
}

function short(tag: number, vr: string, value: Buffer): Buffer {
  const head = Buffer.alloc(8);
  writeTag(head, tag);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, value]);
}

function binary(tag: number, vr: string, value: Buffer): Buffer {
  const head = Buffer.alloc(12);
  writeTag(head, tag);
  head.write(vr, 4, 'latin1');
  head.writeUInt32LE(value.length, 8);
  return Buffer.concat([head, value]);
}

function writeTag(head: Buffer, tag: number): void {
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
}
