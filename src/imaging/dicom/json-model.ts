/** PS3.18 Annex F: the DICOM JSON model. */

export type JsonValue = string | number | null | PersonNameJson | DicomJson;

export interface PersonNameJson {
  Alphabetic?: string;
  Ideographic?: string;
  Phonetic?: string;
}

export interface JsonElement {
  vr: string;
  Value?: JsonValue[];
  /** Base64. */
  InlineBinary?: string;
  BulkDataURI?: string;
}

/** A data set: elements by tag, `00100020`. */
export interface DicomJson {
  [tag: string]: JsonElement;
}

/** First value of a text element; undefined when absent or empty. Trailing padding is already gone; leading spaces are kept. */
export function textOf(dataset: DicomJson, tag: string): string | undefined {
  const value = dataset[tag]?.Value?.[0];
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** First value of a numeric element. */
export function numberOf(dataset: DicomJson, tag: string): number | undefined {
  const value = dataset[tag]?.Value?.[0];
  return typeof value === 'number' ? value : undefined;
}

/** First value of a person name element. */
export function personOf(dataset: DicomJson, tag: string): PersonNameJson | undefined {
  const value = dataset[tag]?.Value?.[0];
  return typeof value === 'object' && value !== null ? (value as PersonNameJson) : undefined;
}

/** Items of a sequence. */
export function itemsOf(dataset: DicomJson, tag: string): DicomJson[] {
  const element = dataset[tag];
  return element?.vr === 'SQ' ? ((element.Value ?? []) as DicomJson[]) : [];
}

/** The elements of `dataset` whose tags are listed, in the order of their tags. */
export function pick(dataset: DicomJson, tags: readonly string[]): DicomJson {
  const picked: DicomJson = {};
  for (const tag of tags) {
    const element = dataset[tag];
    if (element) picked[tag] = element;
  }
  return picked;
}
