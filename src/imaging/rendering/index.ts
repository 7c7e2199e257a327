/** PS3.18 §10.4 (rendered): a frame as a PNG that any browser shows, for the uncompressed images a header describes fully. */
import type { ReadableFile } from '../../vault/index.ts';
import { readFrame } from '../dicom/frames.ts';
import { type DicomJson, numberOf, textOf } from '../dicom/json-model.ts';
import type { PixelLayout } from '../dicom/pixels.ts';
import { toGray } from './gray.ts';
import { encodePng } from './png.ts';
import { scaled } from './scale.ts';

export interface RenderOptions {
  /** Display window in units of the modality (Hounsfield for CT); else the image's own, else its full range. */
  window?: { center: number; width: number };
  /** Largest size of the answer in pixels, proportions kept. */
  viewport?: { width: number; height: number };
}

/** An image larger than this (in pixels) is not rendered: it would have to be held in memory. */
const maximumPixels = 64 * 1024 * 1024;

/** A PNG of frame `number`, or undefined when this kind of image cannot be rendered here (compressed, palette, YBR). */
export async function renderFrame(
  file: ReadableFile,
  layout: PixelLayout,
  header: DicomJson,
  number: number,
  { window, viewport }: RenderOptions = {},
): Promise<Buffer | undefined> {
  const { rows, columns, bitsAllocated, samplesPerPixel, photometric } = layout;
  const pixels = rows * columns;
  if (!layout.native || pixels === 0 || pixels > maximumPixels) return undefined;
  const gray = samplesPerPixel === 1 && /^MONOCHROME[12]$/.test(photometric) && [8, 16].includes(bitsAllocated);
  const colour = samplesPerPixel === 3 && photometric === 'RGB' && bitsAllocated === 8;
  if (!gray && !colour) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of readFrame(file, layout, number)) chunks.push(chunk);
  const frame = Buffer.concat(chunks);
  const image = gray
    ? toGray(frame, layout, {
        slope: numberOf(header, '00281053') ?? 1,
        intercept: numberOf(header, '00281052') ?? 0,
        window: window ?? ownWindow(header),
        inverse: photometric === 'MONOCHROME1' || textOf(header, '20500020') === 'INVERSE',
      })
    : interleaved(frame, layout);
  const channels = gray ? 1 : 3;
  const result = scaled({ width: columns, height: rows, channels, data: image }, viewport);
  return encodePng(result);
}

function ownWindow(header: DicomJson): { center: number; width: number } | undefined {
  const center = numberOf(header, '00281050');
  const width = numberOf(header, '00281051');
  return center !== undefined && width !== undefined && width >= 1 ? { center, width } : undefined;
}

/** Colour by plane into colour by pixel. */
function interleaved(frame: Buffer, { planar, rows, columns }: PixelLayout): Buffer {
  if (!planar) return frame;
  const plane = rows * columns;
  const image = Buffer.allocUnsafe(plane * 3);
  for (let at = 0; at < plane; at++) {
    image[at * 3] = frame[at] ?? 0;
    image[at * 3 + 1] = frame[at + plane] ?? 0;
    image[at * 3 + 2] = frame[at + 2 * plane] ?? 0;
  }
  return image;
}
