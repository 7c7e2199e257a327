/** Text laid over the image: whose image it is comes from the image itself, never from the case (rule IM-5). */
import { frenchDicomDate } from '../time/format.ts';
import { bornText } from '../words/labels.ts';
import { type DicomDataset, numberAt, textAt } from './dicom-json.ts';

export interface OverlayText {
  patient: string[];
  series: string[];
  geometry: string[];
}

export function overlayOf(dataset: DicomDataset): OverlayText {
  const name = textAt(dataset, '00100010')?.replaceAll('^', ' ').trim();
  const birth = frenchDicomDate(textAt(dataset, '00100030'));
  const study = frenchDicomDate(textAt(dataset, '00080020'));
  const time = /^(\d{2})(\d{2})/.exec(textAt(dataset, '00080030') ?? '');
  const thickness = numberAt(dataset, '00180050');
  const location = numberAt(dataset, '00201041') ?? numberAtIndex(dataset, '00200032', 2);
  return {
    patient: lines([
      name ?? 'Patient non renseigné dans l’image',
      [textAt(dataset, '00100020'), textAt(dataset, '00100040')].filter((part) => part).join(' · '),
      birth && `${bornText(textAt(dataset, '00100040'))} ${birth}`,
      study && `examen du ${study}${time ? ` ${time[1]}:${time[2]}` : ''}`,
    ]),
    series: lines([
      [textAt(dataset, '00080060'), textAt(dataset, '0008103E')].filter((part) => part).join(' · '),
      textAt(dataset, '00080080'),
    ]),
    geometry: lines([
      thickness === undefined ? undefined : `épaisseur ${thickness.toLocaleString('fr-FR')} mm`,
      location === undefined
        ? undefined
        : `position ${location.toLocaleString('fr-FR', { maximumFractionDigits: 1 })} mm`,
    ]),
  };
}

function numberAtIndex(dataset: DicomDataset, tag: string, index: number): number | undefined {
  const value = Number(dataset[tag]?.Value?.[index]);
  return Number.isFinite(value) ? value : undefined;
}

function lines(parts: readonly (string | undefined)[]): string[] {
  return parts.filter((part): part is string => part !== undefined && part !== '');
}
