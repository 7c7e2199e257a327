/** PS3.3 §C.11.1, §C.11.2: stored values → modality values → window → 8 bits. */
import type { PixelLayout } from '../dicom/pixels.ts';

export interface GrayTransform {
  slope: number;
  intercept: number;
  /** Undefined: the range of the values in the image. */
  window: { center: number; width: number } | undefined;
  /** Low values are shown bright. */
  inverse: boolean;
}

/** One byte per pixel. Values go through a table: there are at most 65,536 of them. */
export function toGray(frame: Buffer, layout: PixelLayout, transform: GrayTransform): Buffer {
  const { bitsAllocated, signed } = layout;
  const bitsStored = Math.min(Math.max(layout.bitsStored, 1), bitsAllocated);
  const values = bitsAllocated === 16 ? new Uint16Array(aligned(frame)) : new Uint8Array(frame);
  const mask = 2 ** bitsStored - 1;
  const sign = signed ? 2 ** (bitsStored - 1) : 0;
  const modality = (raw: number) => {
    const stored = raw & mask;
    return (sign > 0 && stored >= sign ? stored - 2 * sign : stored) * transform.slope + transform.intercept;
  };
  const { center, width } = transform.window ?? fullRange(values, modality);
  const table = new Uint8Array(mask + 1);
  for (let raw = 0; raw <= mask; raw++) {
    // Linear function of PS3.3 §C.11.2.1.2.1.
    const scaled =
      width > 1 ? ((modality(raw) - (center - 0.5)) / (width - 1) + 0.5) * 255 : modality(raw) > center - 0.5 ? 255 : 0;
    const shown = Math.min(255, Math.max(0, Math.round(scaled)));
    table[raw] = transform.inverse ? 255 - shown : shown;
  }
  const gray = Buffer.allocUnsafe(values.length);
  for (let at = 0; at < values.length; at++) gray[at] = table[(values[at] ?? 0) & mask] ?? 0;
  return gray;
}

function fullRange(
  values: Uint8Array | Uint16Array,
  modality: (raw: number) => number,
): { center: number; width: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const raw of values) {
    const value = modality(raw);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { center: (low + high + 1) / 2, width: Math.max(1, high - low + 1) };
}

/** A copy whose 16-bit words are aligned in memory. */
function aligned(frame: Buffer): ArrayBuffer {
  const length = frame.length - (frame.length % 2);
  return frame.buffer.slice(frame.byteOffset, frame.byteOffset + length) as ArrayBuffer;
}
