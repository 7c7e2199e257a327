/** A synthetic CT series: a head-like ellipse with a lesion that grows along the slices. DICOM JSON metadata and raw frames. */
export interface PhantomSeries {
  uid: string;
  number: number;
  description: string;
  slices: number;
}

export const studyUid = '2.25.31415926535897932384626433832795028841';
const size = 128;

export const phantomSeries: readonly PhantomSeries[] = [
  { uid: `${studyUid}.1`, number: 1, description: 'Crâne parenchyme 0,6 mm', slices: 24 },
  { uid: `${studyUid}.2`, number: 2, description: 'Crâne os 0,6 mm', slices: 12 },
];

/** QIDO-RS answer for the study. */
export function seriesAnswer(arrived: number): object[] {
  return phantomSeries.map((series) => ({
    '00080060': { vr: 'CS', Value: ['CT'] },
    '0008103E': { vr: 'LO', Value: [series.description] },
    '0020000D': { vr: 'UI', Value: [studyUid] },
    '0020000E': { vr: 'UI', Value: [series.uid] },
    '00200011': { vr: 'IS', Value: [series.number] },
    '00201209': { vr: 'IS', Value: [Math.min(series.slices, arrived)] },
  }));
}

/** WADO-RS metadata of one series. */
export function metadataAnswer(series: PhantomSeries, arrived: number): object[] {
  return Array.from({ length: Math.min(series.slices, arrived) }, (_, slice) => ({
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
    '00080018': { vr: 'UI', Value: [`${series.uid}.${slice + 1}`] },
    '00080020': { vr: 'DA', Value: ['20261122'] },
    '00080030': { vr: 'TM', Value: ['021500'] },
    '00080060': { vr: 'CS', Value: ['CT'] },
    '00080080': { vr: 'LO', Value: ['CH-EXEMPLE IMAGERIE'] },
    '0008103E': { vr: 'LO', Value: [series.description] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'TEST-MOREAU^CAMILLE' }] },
    '00100020': { vr: 'LO', Value: ['IPP-0001'] },
    '00100030': { vr: 'DA', Value: ['19590312'] },
    '00100040': { vr: 'CS', Value: ['F'] },
    '00180050': { vr: 'DS', Value: [0.6] },
    '0020000D': { vr: 'UI', Value: [studyUid] },
    '0020000E': { vr: 'UI', Value: [series.uid] },
    '00200011': { vr: 'IS', Value: [series.number] },
    '00200013': { vr: 'IS', Value: [slice + 1] },
    '00200032': { vr: 'DS', Value: [-120, -120, slice * 5] },
    '00200037': { vr: 'DS', Value: [1, 0, 0, 0, 1, 0] },
    '00200052': { vr: 'UI', Value: [`${studyUid}.9`] },
    '00280002': { vr: 'US', Value: [1] },
    '00280004': { vr: 'CS', Value: ['MONOCHROME2'] },
    '00280010': { vr: 'US', Value: [size] },
    '00280011': { vr: 'US', Value: [size] },
    '00280030': { vr: 'DS', Value: [1.9, 1.9] },
    '00280100': { vr: 'US', Value: [16] },
    '00280101': { vr: 'US', Value: [16] },
    '00280102': { vr: 'US', Value: [15] },
    '00280103': { vr: 'US', Value: [1] },
    '00281050': { vr: 'DS', Value: [40] },
    '00281051': { vr: 'DS', Value: [80] },
    '00281052': { vr: 'DS', Value: [-1024] },
    '00281053': { vr: 'DS', Value: [1] },
  }));
}

/** One uncompressed frame, little endian, stored values = Hounsfield + 1024. */
export function frame(slice: number): Buffer {
  const pixels = Buffer.alloc(size * size * 2);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++)
      pixels.writeInt16LE(hounsfield(x - size / 2, y - size / 2, slice) + 1024, 2 * (y * size + x));
  }
  return pixels;
}

function hounsfield(x: number, y: number, slice: number): number {
  const skull = (x / 46) ** 2 + (y / 56) ** 2;
  if (skull > 1) return -1000;
  if (skull > 0.87) return 1100;
  const lesion = (x - 16) ** 2 + (y + 8) ** 2 < (2 + slice / 2) ** 2;
  const ventricle = (Math.abs(x) - 6) ** 2 / 12 + (y + 2) ** 2 / 180 < 1;
  if (lesion) return 68;
  return ventricle ? 6 : 32 + (((x + 64) * 7 + (y + 64) * 13 + slice * 3) % 5);
}

/** The frame as multipart/related, PS3.18 §8.6.1.2. */
export function multipart(bytes: Buffer): { type: string; body: Buffer } {
  const boundary = 'cadre-fantome';
  const head = `--${boundary}\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n`;
  return {
    type: `multipart/related; type="application/octet-stream"; boundary=${boundary}`,
    body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
