/** One received DICOM file as the archive sees it: identity checked, header as JSON, frames located. */
import type { ReadableFile } from '../../vault/index.ts';
import { fileSource } from './byte-source.ts';
import { type BulkValue, parseDataset } from './dataset-parser.ts';
import { DicomFailure, failureReason } from './failure.ts';
import { type DicomJson, textOf } from './json-model.ts';
import { readFileMeta } from './part10.ts';
import { type PixelLayout, pixelLayout } from './pixels.ts';
import { isUid } from './uid.ts';

export interface ParsedInstance {
  studyUid: string;
  seriesUid: string;
  sopUid: string;
  sopClassUid: string;
  transferSyntax: string;
  dataset: DicomJson;
  bulk: BulkValue[];
  pixels?: PixelLayout;
  /** Came without preamble and File Meta Information. */
  bare: boolean;
  /** Bulk values and frames are in the inflated copy. */
  inflated: boolean;
}

/** Makes the inflated copy of a deflated data set; answers the copy, open for reading. */
export type Inflate = (file: ReadableFile, datasetStart: number) => Promise<ReadableFile>;

/** Media Storage Directory: describes a disc, is not an instance of a study. */
const directoryClass = '1.2.840.10008.1.3.10';

/**
 * Reads a whole DICOM file of `size` bytes. What makes the identity of an instance must be there and well formed; everything else
 * is kept as received.
 * @throws DicomFailure with the reason for which it cannot be stored.
 */
export async function parseInstance(file: ReadableFile, head: Buffer, inflate: Inflate): Promise<ParsedInstance> {
  const source = fileSource(file, head);
  const { syntax, datasetStart, bare } = await readFileMeta(source);
  const copy = syntax.deflated ? await inflate(file, datasetStart) : undefined;
  const { dataset, bulk } = copy
    ? await parseDataset(fileSource(copy), 0, syntax)
    : await parseDataset(source, datasetStart, syntax);
  const sopClassUid = requiredUid(dataset, '00080016', 'SOP Class UID (0008,0016)');
  if (sopClassUid === directoryClass) {
    throw new DicomFailure(failureReason.sopClass, 'A DICOMDIR is not an instance: send the instances it lists.');
  }
  const pixels = pixelLayout(dataset, bulk);
  if (!pixels && imageClasses.test(sopClassUid) && !dataset['00287FE0']) {
    // A file cut exactly between two elements is well formed: only what it should hold tells that something is missing.
    const failure = new DicomFailure(
      failureReason.dataSet,
      'An image without Pixel Data (7FE0,0010): the file is not whole.',
    );
    throw Object.assign(failure, { sopClassUid, sopUid: textOf(dataset, '00080018') });
  }
  return {
    sopClassUid,
    sopUid: requiredUid(dataset, '00080018', 'SOP Instance UID (0008,0018)'),
    studyUid: requiredUid(dataset, '0020000D', 'Study Instance UID (0020,000D)'),
    seriesUid: requiredUid(dataset, '0020000E', 'Series Instance UID (0020,000E)'),
    transferSyntax: syntax.uid,
    dataset,
    bulk,
    bare,
    inflated: copy !== undefined,
    ...(pixels ? { pixels: copy ? { ...pixels, inflated: true } : pixels } : {}),
  };
}

/** PS3.4 Annex B: classes whose instances are images (not waveforms, documents, plans, spectra or relations between images). */
const imageClasses =
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(1|1\.[123](\.1)?|2(\.[12])?|3(\.1)?|4(\.[134])?|6(\.[12])?|7(\.[1-4])?|12\.[12](\.1)?|13\.1\.[1-5]|14\.[12]|20|66\.4|77\.1\.[1-46-7](\.\d+)*|77\.1\.5\.[1245678]|128(\.1)?|130|481\.1)$/;

function requiredUid(dataset: DicomJson, tag: string, name: string): string {
  const value = textOf(dataset, tag);
  if (value !== undefined && isUid(value)) return value;
  const what = value === undefined ? 'is missing or empty' : 'is not a UID (64 characters at most, digits and dots)';
  const failure = new DicomFailure(failureReason.dataSet, `${name} ${what}.`);
  failure.sopUid = textOf(dataset, '00080018');
  failure.sopClassUid = textOf(dataset, '00080016');
  throw failure;
}
