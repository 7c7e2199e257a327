/** What a scanned page may be, told by its first octets and never by its name (IN-7). */

export type FileKind = 'application/pdf' | 'image/jpeg';

const starts: Readonly<Record<FileKind, readonly number[]>> = {
  'application/pdf': [0x25, 0x50, 0x44, 0x46, 0x2d],
  'image/jpeg': [0xff, 0xd8, 0xff],
};

/** PDF or JPEG; undefined for anything else. */
export function fileKindOf(octets: Buffer): FileKind | undefined {
  return (Object.keys(starts) as FileKind[]).find((kind) => starts[kind].every((octet, at) => octets[at] === octet));
}
