/** What is to be examined, in words: modality and region, out of the request and of the images when they are there. */
import type { CodeableConcept, ImagingStudy, ServiceRequest } from '@medplum/fhirtypes';
import { modalityName } from '../words/labels.ts';

export interface Exam {
  /** DICOM code (CT, MR…), when it is known. */
  modality: string | undefined;
  /** French name of the modality, else undefined. */
  modalityName: string | undefined;
  region: string | undefined;
  /** Act asked for, as coded by the hospital. */
  act: string | undefined;
  /** Everything on one line, never empty. */
  text: string;
}

const modalityCodes = /^(CT|MR|CR|DX|US|MG|NM|PT|XA|RF)$/;
const modalityWords: readonly (readonly [RegExp, string])[] = [
  [/scanner|scanographie|tomodensitom|\bTDM\b|\bCT\b/i, 'CT'],
  [/\bIRM\b|remnographie|résonance|\bMRI?\b/i, 'MR'],
  [/radiograph|\bXR\b/i, 'DX'],
  [/[ée]chograph|\bUS\b/i, 'US'],
];

export function examOf(request: ServiceRequest | undefined, study?: ImagingStudy): Exam {
  const act = conceptText(request?.code);
  const concepts = [...(request?.orderDetail ?? []), ...(request?.category ?? [])];
  const modality =
    codedModality(concepts) ??
    study?.modality?.find((one) => modalityCodes.test(one.code ?? ''))?.code ??
    guessedModality(act);
  const region =
    (request?.bodySite ?? [])
      .map(conceptText)
      .filter((text) => text !== undefined)
      .join(', ') || undefined;
  const name = modalityName(modality);
  const text = [name, region].filter((part) => part !== undefined).join(' · ') || act || 'examen non précisé';
  return { modality, modalityName: name, region, act, text };
}

export function conceptText(concept: CodeableConcept | undefined): string | undefined {
  return concept?.text ?? concept?.coding?.find((one) => one.display)?.display ?? concept?.coding?.[0]?.code;
}

function codedModality(concepts: readonly CodeableConcept[]): string | undefined {
  return concepts.flatMap((one) => one.coding ?? []).find((one) => modalityCodes.test(one.code ?? ''))?.code;
}

function guessedModality(text: string | undefined): string | undefined {
  return text === undefined ? undefined : modalityWords.find(([pattern]) => pattern.test(text))?.[1];
}
