/** Window width and centre, in the units of the image after its modality transformation (Hounsfield units for CT). */
export interface Windowing {
  width: number;
  center: number;
}

export interface WindowPreset extends Windowing {
  name: string;
  /** Key that applies it while the image has the focus. */
  key: string;
}

/** Usual CT windows. */
export const ctPresets: readonly WindowPreset[] = [
  { name: 'Cerveau', key: '1', width: 80, center: 40 },
  { name: 'Os', key: '2', width: 2000, center: 500 },
  { name: 'Poumon', key: '3', width: 1500, center: -600 },
  { name: 'Abdomen', key: '4', width: 400, center: 40 },
];

/** Bounds of the grey ramp for a width and a centre, PS3.3 C.11.2.1.2.1 (LINEAR). */
export function rangeOf({ width, center }: Windowing): { lower: number; upper: number } {
  const half = (width - 1) / 2;
  return { lower: center - 0.5 - half, upper: center - 0.5 + half };
}

export function windowingOf(range: { lower: number; upper: number }): Windowing {
  return { width: range.upper - range.lower + 1, center: (range.upper + range.lower + 1) / 2 };
}

/** Half of the current width over a drag of this many pixels: fine on a narrow window, quick on a wide one. */
const dragPixelsPerWidth = 250;

/** A drag to the right widens, a drag down lowers the brightness (raises the centre): the habit of consoles. */
export function dragged(from: Windowing, dx: number, dy: number): Windowing {
  const step = Math.max(from.width, 1) / dragPixelsPerWidth;
  return { width: Math.max(2, from.width + dx * step), center: from.center + dy * step };
}
