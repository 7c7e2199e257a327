/** DICOM JSON model (PS3.18 annex F) as QIDO-RS and WADO-RS metadata serve it: just what a viewer reads. */
export interface DicomElement {
  vr?: string;
  Value?: unknown[];
  BulkDataURI?: string;
}

export type DicomDataset = Record<string, DicomElement>;

export function textAt(dataset: DicomDataset, tag: string): string | undefined {
  const value = dataset[tag]?.Value?.[0];
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && 'Alphabetic' in value && typeof value.Alphabetic === 'string') {
    return value.Alphabetic;
  }
  return undefined;
}

export function numberAt(dataset: DicomDataset, tag: string): number | undefined {
  return numbersAt(dataset, tag)[0];
}

export function numbersAt(dataset: DicomDataset, tag: string): number[] {
  return (dataset[tag]?.Value ?? []).map(Number).filter((value) => Number.isFinite(value));
}
