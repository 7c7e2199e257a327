/** PS3.18 §10.6: the attributes answered and matched at each level of the index. */
import type { DicomJson } from './dicom/json-model.ts';
import { itemsOf, pick, textOf } from './dicom/json-model.ts';

export type Level = 'study' | 'series' | 'instance';

/** Attributes kept in the index by level, as tags; each belongs to one level only, so that answers can be put together. */
export const indexedTags: Readonly<Record<Level, readonly string[]>> = {
  study: [
    '00080020', // Study Date
    '00080030', // Study Time
    '00080050', // Accession Number
    '00080051', // Issuer of Accession Number Sequence
    '00080090', // Referring Physician's Name
    '00080201', // Timezone Offset From UTC
    '00081030', // Study Description
    '00081032', // Procedure Code Sequence
    '00081060', // Name of Physician(s) Reading Study
    '00100010', // Patient's Name
    '00100020', // Patient ID
    '00100021', // Issuer of Patient ID
    '00100024', // Issuer of Patient ID Qualifiers Sequence
    '00100030', // Patient's Birth Date
    '00100032', // Patient's Birth Time
    '00100040', // Patient's Sex
    '00101001', // Other Patient Names
    '00101002', // Other Patient IDs Sequence
    '00101010', // Patient's Age
    '00101020', // Patient's Size
    '00101030', // Patient's Weight
    '0020000D', // Study Instance UID
    '00200010', // Study ID
    '00402016', // Placer Order Number / Imaging Service Request
    '00402017', // Filler Order Number / Imaging Service Request
  ],
  series: [
    '00080021', // Series Date
    '00080031', // Series Time
    '00080060', // Modality
    '00080070', // Manufacturer
    '00080080', // Institution Name
    '00081010', // Station Name
    '0008103E', // Series Description
    '00081050', // Performing Physician's Name
    '00081070', // Operators' Name
    '00081090', // Manufacturer's Model Name
    '00180015', // Body Part Examined
    '00181030', // Protocol Name
    '00185100', // Patient Position
    '0020000E', // Series Instance UID
    '00200011', // Series Number
    '00200052', // Frame of Reference UID
    '00200060', // Laterality
    '00400244', // Performed Procedure Step Start Date
    '00400245', // Performed Procedure Step Start Time
    '00400253', // Performed Procedure Step ID
    '00400254', // Performed Procedure Step Description
    '00400275', // Request Attributes Sequence
  ],
  instance: [
    '00080005', // Specific Character Set
    '00080008', // Image Type
    '00080016', // SOP Class UID
    '00080018', // SOP Instance UID
    '00080022', // Acquisition Date
    '00080023', // Content Date
    '00080032', // Acquisition Time
    '00080033', // Content Time
    '00180050', // Slice Thickness
    '00189345', // CTDIvol
    '00200012', // Acquisition Number
    '00200013', // Instance Number
    '00200032', // Image Position (Patient)
    '00200037', // Image Orientation (Patient)
    '00200062', // Image Laterality
    '00201041', // Slice Location
    '00280002', // Samples per Pixel
    '00280004', // Photometric Interpretation
    '00280008', // Number of Frames
    '00280010', // Rows
    '00280011', // Columns
    '00280030', // Pixel Spacing
    '00280100', // Bits Allocated
    '00280101', // Bits Stored
    '00280103', // Pixel Representation
    '00281050', // Window Center
    '00281051', // Window Width
    '0040A491', // Completion Flag
    '0040A493', // Verification Flag
  ],
};

const levelOfTag: ReadonlyMap<string, Level> = new Map(
  (['study', 'series', 'instance'] as const).flatMap((level) => indexedTags[level].map((tag) => [tag, level] as const)),
);

/** Level whose index rows hold this attribute; undefined when only the whole header does. */
export function indexedLevel(tag: string): Level | undefined {
  return levelOfTag.get(tag);
}

/** A value this long in an indexed attribute is data, not a label: it stays in the header alone. */
const maximumIndexedBytes = 8 * 1024;

/** What the index keeps of a header. */
export function indexedHeader(dataset: DicomJson): DicomJson {
  const kept = pick(dataset, [...indexedTags.study, ...indexedTags.series, ...indexedTags.instance]);
  // Documents (SR, KOS) name their order in Referenced Request Sequence; one order is the study's, several are not.
  const [request, ...others] = itemsOf(dataset, '0040A370');
  if (request && others.length === 0 && !textOf(kept, '00080050'))
    Object.assign(kept, pick(request, ['00080050', '00080051']));
  for (const [tag, element] of Object.entries(kept)) {
    if (element.BulkDataURI || (element.Value && JSON.stringify(element).length > maximumIndexedBytes))
      delete kept[tag];
  }
  return Object.fromEntries(Object.entries(kept).map(([tag, element]) => [tag, legible(element)]));
}

/**
 * What PostgreSQL and FHIR refuse: control characters (PS3.5 §6.1.3 allows none here, yet NULs are met in the middle of values) and
 * halves of characters. One such value must not keep a whole request out; the bytes received stay as they are.
 */
const illegible = /[^\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** The same JSON with spaces for what cannot be read; values of nothing else become null. */
function legible<T>(json: T): T {
  if (typeof json === 'string') return (json.replace(illegible, ' ').trimEnd() || null) as T;
  if (Array.isArray(json)) return json.map(legible) as T;
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, legible(value)])) as T;
}
