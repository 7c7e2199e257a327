/**
 * A head made of ellipsoids in Hounsfield units: scalp, skull, brain with grey and white matter, ventricles, sinuses, eyes, and a
 * bleed in the left basal ganglia with oedema around it. At a window of 80/40 it looks like what a night shift sees.
 */

export interface SliceRequest {
  /** Rows and columns. */
  size: number;
  /** Millimetres per pixel. */
  pixelMm: number;
  /** Height of the slice, mm; 0 is the middle of the head. */
  position: number;
  seed: number;
  /** Index of the slice, so that no two have the same noise. */
  slice: number;
}

/** Centre and half axes in mm (x to the patient's left, y to the back, z to the head), turn about z in degrees, Hounsfield units. */
type Ellipsoid = readonly [
  x: number,
  y: number,
  z: number,
  a: number,
  b: number,
  c: number,
  degrees: number,
  hounsfield: number,
];

const air = -1000;
const cerebrospinalFluid = 8;
const noiseSigma = 4;
const noiseTableSize = 65_536;

/** Painted in this order, later over earlier. */
const anatomy: readonly Ellipsoid[] = [
  [0, 0, 0, 80, 98, 96, 0, 45], // scalp
  [0, 0, 0, 76, 94, 92, 0, 1100], // outer table
  [0, 0, 0, 73.5, 91.5, 89.5, 0, 550], // diploe
  [0, 0, 0, 72, 90, 88, 0, 1200], // inner table
  [0, 0, 0, 69, 87, 85, 0, cerebrospinalFluid],
  [0, 0, 1, 67.5, 85.5, 83, 0, 38], // cortex
  [-31, 2, 14, 26, 66, 48, 3, 27], // white matter
  [31, 2, 14, 26, 66, 48, -3, 27],
  [0, 4, 4, 20, 52, 30, 0, 30],
  [-22, -4, 6, 9, 17, 13, 20, 38], // lentiform nuclei
  [22, -4, 6, 9, 17, 13, -20, 38],
  [-9, 10, 6, 8, 13, 10, -15, 37], // thalami
  [9, 10, 6, 8, 13, 10, 15, 37],
  [-11, -18, 20, 5, 20, 11, -14, cerebrospinalFluid], // lateral ventricles, frontal horns
  [11, -18, 20, 5, 20, 11, 14, cerebrospinalFluid],
  [-15, 28, 18, 5.5, 20, 10, 16, cerebrospinalFluid], // occipital horns
  [15, 28, 18, 5.5, 20, 10, -16, cerebrospinalFluid],
  [0, 4, 4, 1.8, 13, 9, 0, cerebrospinalFluid], // third ventricle
  [0, 46, -34, 6, 5, 9, 0, cerebrospinalFluid], // fourth ventricle
  [0, 30, -34, 15, 12, 24, 0, 33], // brain stem
  [0, 24, 8, 1.6, 1.6, 2, 0, 130], // pineal calcification
  [-17, 36, 20, 1.8, 3, 2, 0, 110], // choroid plexus
  [17, 36, 20, 1.8, 3, 2, 0, 110],
  [0, 0, 60, 0.9, 84, 45, 0, 55], // falx
  [-38, 14, -48, 9, 22, 9, 40, 1100], // petrous bones
  [38, 14, -48, 9, 22, 9, -40, 1100],
  [-44, 18, -48, 5, 7, 6, 30, -700], // mastoid cells
  [44, 18, -48, 5, 7, 6, -30, -700],
  [-31, -70, -46, 17, 20, 15, 12, -70], // orbital fat
  [31, -70, -46, 17, 20, 15, -12, -70],
  [-31, -76, -46, 12, 12, 12, 0, 12], // eyes
  [31, -76, -46, 12, 12, 12, 0, 12],
  [-7, -62, -52, 5, 18, 10, 4, -950], // ethmoid and sphenoid sinuses
  [7, -62, -52, 5, 18, 10, -4, -950],
  [0, -86, -28, 16, 4, 10, 0, -950], // frontal sinus
  [34, 2, 14, 24, 31, 21, -12, 19], // oedema
  [33, 0, 14, 16, 22, 14, -14, 66], // bleed
  [37, 8, 15, 9, 11, 9, 20, 72],
];

/** Hounsfield units, row by row. */
export function headSlice({ size, pixelMm, position, seed, slice }: SliceRequest): Int16Array {
  const image = new Int16Array(size * size).fill(air);
  couch(image, size, pixelMm);
  for (const ellipsoid of anatomy.slice(0, 6)) paint(image, size, pixelMm, position, ellipsoid);
  for (const ellipsoid of anatomy.slice(6)) paint(image, size, pixelMm, position, ellipsoid);
  for (const fold of folds(seed)) paint(image, size, pixelMm, position, fold);
  const smooth = blurred(image, size);
  addNoise(smooth, seed, slice);
  return smooth;
}

/** Furrows of the cortex: thin ellipsoids of fluid pointing inwards, where `seed` puts them. */
function folds(seed: number): Ellipsoid[] {
  const random = generator(seed);
  return Array.from({ length: 150 }, () => {
    const angle = random() * 2 * Math.PI;
    const height = (random() * 2 - 1) * 76;
    const shrink = Math.sqrt(Math.max(0, 1 - (height / 84) ** 2)) * (0.9 + random() * 0.07);
    const depth = 4 + random() * 7;
    const turn = (angle * 180) / Math.PI + (random() - 0.5) * 50;
    return [Math.cos(angle) * 67 * shrink, Math.sin(angle) * 85 * shrink, height, depth, 0.9, 9, turn, 14] as const;
  });
}

/** Fills the cut of an ellipsoid row by row: between the two places where the row crosses its edge. */
function paint(image: Int16Array, size: number, pixelMm: number, position: number, ellipsoid: Ellipsoid): void {
  const [x, y, z, halfX, halfY, halfZ, degrees, value] = ellipsoid;
  const height = (position - z) / halfZ;
  if (Math.abs(height) >= 1) return;
  const shrink = Math.sqrt(1 - height * height);
  const a = (halfX * shrink) / pixelMm;
  const b = (halfY * shrink) / pixelMm;
  const turn = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const middle = (size - 1) / 2;
  const centreX = middle + x / pixelMm;
  const centreY = middle + y / pixelMm;
  const reach = Math.sqrt((a * sin) ** 2 + (b * cos) ** 2);
  // (u / a)² + (v / b)² = 1 with u, v the turned coordinates, solved for x in each row.
  const quadratic = (cos / a) ** 2 + (sin / b) ** 2;
  for (
    let row = Math.max(0, Math.ceil(centreY - reach));
    row <= Math.min(size - 1, Math.floor(centreY + reach));
    row++
  ) {
    const dy = row - centreY;
    const linear = 2 * dy * cos * sin * (1 / a ** 2 - 1 / b ** 2);
    const constant = dy * dy * ((sin / a) ** 2 + (cos / b) ** 2) - 1;
    const discriminant = linear * linear - 4 * quadratic * constant;
    if (discriminant < 0) continue;
    const root = Math.sqrt(discriminant);
    const from = Math.max(0, Math.ceil(centreX + (-linear - root) / (2 * quadratic)));
    const to = Math.min(size - 1, Math.floor(centreX + (-linear + root) / (2 * quadratic)));
    if (to >= from) image.fill(value, row * size + from, row * size + to + 1);
  }
}

/** The head rest: two thin curved shells under the head. */
function couch(image: Int16Array, size: number, pixelMm: number): void {
  const middle = (size - 1) / 2;
  for (let column = 0; column < size; column++) {
    const across = ((column - middle) * pixelMm) / 95;
    if (Math.abs(across) > 1) continue;
    const depth = 84 + 24 * Math.sqrt(1 - across * across);
    for (const [offset, value] of [
      [0, -150],
      [1.2, -850],
      [8, -150],
    ] as const) {
      const row = Math.round(middle + (depth + offset) / pixelMm);
      if (row >= 0 && row < size) image[row * size + column] = value;
    }
  }
}

/** Edges as a scanner sees them: a small binomial blur in both directions. */
function blurred(image: Int16Array, size: number): Int16Array {
  const across = new Int16Array(image.length);
  const result = new Int16Array(image.length);
  const last = image.length - 1;
  across[0] = image[0] ?? air;
  across[last] = image[last] ?? air;
  for (let at = 1; at < last; at++) {
    across[at] = ((image[at - 1] as number) + 2 * (image[at] as number) + (image[at + 1] as number)) >> 2;
  }
  result.set(across.subarray(0, size));
  result.set(across.subarray(last + 1 - size), last + 1 - size);
  for (let at = size; at <= last - size; at++) {
    result[at] = ((across[at - size] as number) + 2 * (across[at] as number) + (across[at + size] as number)) >> 2;
  }
  return result;
}

/** Gaussian noise out of a table, read from another place in each row. */
function addNoise(image: Int16Array, seed: number, slice: number): void {
  const table = noiseTable(seed);
  const random = generator(seed * 7919 + slice + 1);
  const size = Math.sqrt(image.length);
  for (let row = 0; row < size; row++) {
    let from = Math.floor(random() * noiseTableSize);
    for (let at = row * size; at < (row + 1) * size; at++) {
      image[at] = Math.max(air - 24, (image[at] as number) + (table[from] as number));
      from = (from + 1) & (noiseTableSize - 1);
    }
  }
}

function noiseTable(seed: number): Int8Array {
  const random = generator(seed + 17);
  const table = new Int8Array(noiseTableSize);
  for (let at = 0; at < noiseTableSize; at++) {
    // The sum of six even numbers is close enough to a normal law.
    const sum = random() + random() + random() + random() + random() + random() - 3;
    table[at] = Math.round(sum * Math.SQRT2 * noiseSigma);
  }
  return table;
}

/** A small, fast generator of numbers in [0, 1) that depends on its seed alone. */
function generator(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
