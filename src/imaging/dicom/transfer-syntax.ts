/** PS3.5 Annex A and PS3.18 §8.7.3: how each transfer syntax encodes the data set, and the media type of its frames. */

export interface TransferSyntax {
  uid: string;
  explicitVr: boolean;
  bigEndian: boolean;
  /** The data set is a raw deflate stream (PS3.5 §A.5). */
  deflated: boolean;
  /** Pixel data comes in fragments. */
  encapsulated: boolean;
  /** Media type of one compressed frame. */
  frameType: string;
}

export const implicitLittleEndian = '1.2.840.10008.1.2';
export const explicitLittleEndian = '1.2.840.10008.1.2.1';
export const explicitBigEndian = '1.2.840.10008.1.2.2';
const deflatedLittleEndian = '1.2.840.10008.1.2.1.99';

const octets = 'application/octet-stream';

/** Syntaxes whose data set is deflated: the plain one and the two of JPIP. */
const deflatedSyntaxes: ReadonlySet<string> = new Set([
  deflatedLittleEndian,
  '1.2.840.10008.1.2.4.95',
  '1.2.840.10008.1.2.4.205',
]);

const frameTypes: readonly (readonly [pattern: RegExp, type: string])[] = [
  [/^1\.2\.840\.10008\.1\.2\.5$/, 'image/dicom-rle'],
  [/^1\.2\.840\.10008\.1\.2\.4\.(50|51|57|70)$/, 'image/jpeg'],
  [/^1\.2\.840\.10008\.1\.2\.4\.8[01]$/, 'image/jls'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[01]$/, 'image/jp2'],
  [/^1\.2\.840\.10008\.1\.2\.4\.9[23]$/, 'image/jpx'],
  [/^1\.2\.840\.10008\.1\.2\.4\.20[123]$/, 'image/jphc'],
  [/^1\.2\.840\.10008\.1\.2\.4\.100(\.1)?$/, 'video/mpeg'],
  [/^1\.2\.840\.10008\.1\.2\.4\.101(\.1)?$/, 'video/mpeg'],
  [/^1\.2\.840\.10008\.1\.2\.4\.10[2-8](\.1)?$/, 'video/mp4'],
];

/**
 * How to read a data set of this transfer syntax. Syntaxes of the standard's compression family that we do not know are all
 * explicit little endian (PS3.5 §A.4), so the instance can be kept whatever the codec; a private one says nothing: undefined.
 */
export function transferSyntaxOf(uid: string): TransferSyntax | undefined {
  if (uid !== implicitLittleEndian && !uid.startsWith(`${implicitLittleEndian}.`)) return undefined;
  const native = [implicitLittleEndian, explicitLittleEndian, explicitBigEndian, deflatedLittleEndian].includes(uid);
  return {
    uid,
    explicitVr: uid !== implicitLittleEndian,
    bigEndian: uid === explicitBigEndian,
    deflated: deflatedSyntaxes.has(uid),
    encapsulated: !native,
    frameType: native ? octets : (frameTypes.find(([pattern]) => pattern.test(uid))?.[1] ?? octets),
  };
}
