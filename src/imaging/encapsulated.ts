/** PS3.3 C.24: a PDF, CDA or model inside an instance (Encapsulated Document, 0042,0011), as it is before anybody opens it. */
import { FhirError } from '../fhir/index.ts';
import type { ReadableFile } from '../vault/index.ts';
import { DicomFailure, failureReason } from './dicom/failure.ts';
import { readRange } from './dicom/file-range.ts';
import type { ParsedInstance } from './dicom/instance.ts';

/** Attribute that holds the document. */
const encapsulatedDocument = '00420011';

/** Whoever must see a document before the instance is kept; throws FhirError to refuse it. */
export type Inspect = (document: { place: string; open(): AsyncIterable<Buffer> }) => Promise<void>;

/**
 * Shows every document of the instance to `inspect`. @param file where the data set was read.
 * @throws DicomFailure when one is refused for what it is; FhirError of 5xx when that could not be found out.
 */
export async function inspectDocuments(parsed: ParsedInstance, file: ReadableFile, inspect: Inspect): Promise<void> {
  try {
    await showDocuments(parsed, file, inspect);
  } catch (error) {
    if (!(error instanceof FhirError) || error.status >= 500) throw error;
    const failure = new DicomFailure(failureReason.processing, `${error.message}.`);
    failure.sopUid = parsed.sopUid;
    failure.sopClassUid = parsed.sopClassUid;
    throw failure;
  }
}

async function showDocuments({ dataset, bulk }: ParsedInstance, file: ReadableFile, inspect: Inspect): Promise<void> {
  const inline = dataset[encapsulatedDocument]?.InlineBinary;
  if (inline) {
    await inspect({
      place: encapsulatedDocument,
      async *open() {
        yield Buffer.from(inline, 'base64');
      },
    });
  }
  for (const { path, offset, length } of bulk) {
    if (path !== encapsulatedDocument && !path.endsWith(`/${encapsulatedDocument}`)) continue;
    await inspect({ place: path, open: () => readRange(file, offset, length) });
  }
}
