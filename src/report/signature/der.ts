/** DER (ITU-T X.690) as far as a signature needs it: writing definite lengths, and walking over what was written. */

/** One element: identifier octet, definite length, content. */
export function der(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const octets: number[] = [];
  for (let rest = body.length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | octets.length, ...octets]), body]);
}

export const sequence = (...content: Uint8Array[]) => der(0x30, ...content);
export const octets = (content: Uint8Array) => der(0x04, content);
export const nothing = Buffer.from([0x05, 0x00]);
export const small = (value: number) => der(0x02, Buffer.from([value]));

/** SET OF, its elements in the order DER prescribes. */
export const setOf = (...elements: Buffer[]) => der(0x31, ...elements.toSorted(Buffer.compare));

/** Object identifier from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first, second, ...arcs] = dotted.split('.').map(Number) as [number, number, ...number[]];
  const bytes = [first * 40 + second, ...arcs.flatMap(base128)];
  return der(0x06, Buffer.from(bytes));
}

function base128(arc: number): number[] {
  const digits = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
  return digits;
}

export interface DerNode {
  tag: number;
  /** Identifier, length and content. */
  whole: Buffer;
  content: Buffer;
}

/** First element of the bytes. @throws Error when it is cut short or has an indefinite length */
export function readDer(bytes: Buffer): DerNode {
  const first = bytes[1];
  if (first === undefined || first === 0x80) throw new Error('not DER');
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (lengthOctets > 4) throw new Error('DER element too long');
  let length = first;
  if (lengthOctets > 0) {
    length = 0;
    for (let index = 0; index < lengthOctets; index += 1) length = length * 256 + (bytes[2 + index] ?? 0);
  }
  const start = 2 + lengthOctets;
  if (bytes.length < start + length) throw new Error('DER element cut short');
  return { tag: bytes[0]!, whole: bytes.subarray(0, start + length), content: bytes.subarray(start, start + length) };
}

/** The elements inside a constructed one. */
export function derChildren(node: DerNode): DerNode[] {
  const children: DerNode[] = [];
  for (let rest = node.content; rest.length > 0; ) {
    const child = readDer(rest);
    children.push(child);
    rest = rest.subarray(child.whole.length);
  }
  return children;
}
