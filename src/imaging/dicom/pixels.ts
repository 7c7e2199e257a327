/** PS3.3 §C.7.6.3 and PS3.5 §8, §A.4: where each frame of an instance is in its file. */
import type { BulkValue } from './dataset-parser.ts';
import type { Fragments } from './fragments.ts';
import { type DicomJson, numberOf, textOf } from './json-model.ts';

/** Frames of one instance, kept with its index row. */
export interface PixelLayout {
  /** Frames that are really there, whatever (0028,0008) claims. */
  frames: number;
  /** What (0028,0008) claims, 1 when absent. */
  claimed: number;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  bitsAllocated: number;
  bitsStored: number;
  signed: boolean;
  photometric: string;
  /** Colour planes one after the other (0028,0006). */
  planar: boolean;
  /** Positions are those of the inflated copy, not of the file received. */
  inflated?: boolean;
  /** Native pixel data: first byte, bits of one frame, 16-bit words in big endian order. */
  native?: { offset: number; length: number; frameBits: number; swap: boolean };
  /** Encapsulated pixel data: for each frame its fragments as offset, length, offset, length… */
  encapsulated?: number[][];
}

/** The layout of the instance's pixel data; undefined when it has none. */
export function pixelLayout(dataset: DicomJson, bulk: readonly BulkValue[]): PixelLayout | undefined {
  const value = bulk.find(({ path }) => path === '7FE00010' || path === '7FE00008' || path === '7FE00009');
  if (!value) return undefined;
  const bitsAllocated =
    numberOf(dataset, '00280100') ?? (value.path === '7FE00009' ? 64 : value.path === '7FE00008' ? 32 : 0);
  const claimed = Math.max(1, Math.trunc(numberOf(dataset, '00280008') ?? 1));
  const layout: PixelLayout = {
    frames: 0,
    claimed,
    rows: numberOf(dataset, '00280010') ?? 0,
    columns: numberOf(dataset, '00280011') ?? 0,
    samplesPerPixel: numberOf(dataset, '00280002') ?? 1,
    bitsAllocated,
    bitsStored: numberOf(dataset, '00280101') ?? bitsAllocated,
    signed: numberOf(dataset, '00280103') === 1,
    photometric: textOf(dataset, '00280004') ?? 'MONOCHROME2',
    planar: numberOf(dataset, '00280006') === 1,
  };
  if (value.fragments) {
    const encapsulated = framesOfFragments(value.fragments, claimed);
    return { ...layout, frames: encapsulated.length, encapsulated };
  }
  const frameBits = layout.rows * layout.columns * samplesOfPixel(layout) * bitsAllocated;
  const frames = frameBits > 0 ? Math.min(claimed, Math.floor((value.length * 8) / frameBits)) : 0;
  const swap = value.bigEndian && value.vr === 'OW';
  return { ...layout, frames, native: { offset: value.offset, length: value.length, frameBits, swap } };
}

/** 4:2:2 shares its two colour samples between two pixels (PS3.3 §C.7.6.3.1.2). */
function samplesOfPixel(layout: PixelLayout): number {
  return /_422$/.test(layout.photometric) && layout.samplesPerPixel === 3 ? 2 : layout.samplesPerPixel;
}

/**
 * Which fragments make which frame: all for one frame, one each when the numbers agree, else by the Basic Offset Table, else where
 * a codestream begins. When none of it works the frames cannot be told apart and there are none to serve.
 */
function framesOfFragments({ fragments, offsetTable }: Fragments, claimed: number): number[][] {
  const flat = (from: number, to: number) =>
    fragments.slice(from, to).flatMap(({ offset, length }) => [offset, length]);
  if (fragments.length === 0) return [];
  if (claimed === 1) return [flat(0, fragments.length)];
  if (fragments.length === claimed) return fragments.map((_, index) => flat(index, index + 1));
  const starts = offsetTable.length > 1 ? startsByTable(fragments, offsetTable) : startsByCodestream(fragments);
  if (starts.length === 0 || starts.length > claimed) return [];
  return starts.map((start, index) => flat(start, starts[index + 1] ?? fragments.length));
}

function startsByTable(fragments: Fragments['fragments'], offsetTable: readonly number[]): number[] {
  const origin = (fragments[0]?.offset ?? 0) - 8;
  const indexOf = new Map(fragments.map(({ offset }, index) => [offset - 8 - origin, index]));
  const starts = offsetTable.map((offset) => indexOf.get(offset));
  const rising = starts.every(
    (start, index) => start !== undefined && (index === 0 || start > (starts[index - 1] ?? -1)),
  );
  return rising && starts[0] === 0 ? (starts as number[]) : [];
}

function startsByCodestream(fragments: Fragments['fragments']): number[] {
  const starts = fragments.flatMap(({ startsImage }, index) => (startsImage ? [index] : []));
  return starts[0] === 0 ? starts : [];
}
