/** Series of a study (QIDO-RS) and the images of a series in reading order (WADO-RS metadata). */
import { type DicomDataset, numberAt, numbersAt, textAt } from './dicom-json.ts';

export interface Series {
  uid: string;
  number: number | undefined;
  modality: string | undefined;
  description: string | undefined;
  /** Instances stored so far. */
  instances: number;
}

export interface StackImage {
  /** Cornerstone image id, `wadors:` and the frame's URL. */
  imageId: string;
  metadata: DicomDataset;
  instanceNumber: number | undefined;
}

export function seriesOf(answer: readonly DicomDataset[]): Series[] {
  return answer
    .flatMap((dataset): Series[] => {
      const uid = textAt(dataset, '0020000E');
      if (uid === undefined) return [];
      return [
        {
          uid,
          number: numberAt(dataset, '00200011'),
          modality: textAt(dataset, '00080060'),
          description: textAt(dataset, '0008103E'),
          instances: numberAt(dataset, '00201209') ?? 0,
        },
      ];
    })
    .sort(
      (a, b) =>
        (a.number ?? Number.MAX_SAFE_INTEGER) - (b.number ?? Number.MAX_SAFE_INTEGER) || (a.uid < b.uid ? -1 : 1),
    );
}

/** One entry per frame, in the order of instance numbers, else along the normal of the slices. Objects without pixels are left out. */
export function stackOf(metadata: readonly DicomDataset[], dicomWebRoot: string): StackImage[] {
  return metadata
    .filter((dataset) => numberAt(dataset, '00280010') !== undefined)
    .map((dataset) => ({ dataset, instance: numberAt(dataset, '00200013'), place: distanceAlongNormal(dataset) }))
    .sort(
      (a, b) =>
        compare(a.instance, b.instance) ||
        compare(a.place, b.place) ||
        compareText(sopUid(a.dataset), sopUid(b.dataset)),
    )
    .flatMap(({ dataset, instance }) => {
      const base = `${dicomWebRoot}/studies/${textAt(dataset, '0020000D')}/series/${textAt(dataset, '0020000E')}/instances/${sopUid(dataset)}`;
      const frames = Math.max(1, numberAt(dataset, '00280008') ?? 1);
      return Array.from({ length: frames }, (_, frame) => ({
        imageId: `wadors:${base}/frames/${frame + 1}`,
        metadata: dataset,
        instanceNumber: instance,
      }));
    });
}

function sopUid(dataset: DicomDataset): string {
  return textAt(dataset, '00080018') ?? '';
}

/** Position of a slice along its own normal (PS3.3 C.7.6.2), in millimetres. */
function distanceAlongNormal(dataset: DicomDataset): number | undefined {
  const [x, y, z] = numbersAt(dataset, '00200032');
  const [rx, ry, rz, cx, cy, cz] = numbersAt(dataset, '00200037');
  if (x === undefined || y === undefined || z === undefined || rx === undefined || ry === undefined || rz === undefined)
    return undefined;
  if (cx === undefined || cy === undefined || cz === undefined) return undefined;
  return x * (ry * cz - rz * cy) + y * (rz * cx - rx * cz) + z * (rx * cy - ry * cx);
}

function compare(a: number | undefined, b: number | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return a - b;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
