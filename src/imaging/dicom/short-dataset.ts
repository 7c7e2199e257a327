/** A data set that is in memory already: what DIMSE carries beside images. */
import type { ByteSource } from './byte-source.ts';
import { parseDataset } from './dataset-parser.ts';
import { DicomFailure, failureReason } from './failure.ts';
import type { DicomJson } from './json-model.ts';
import { transferSyntaxOf } from './transfer-syntax.ts';

/** @throws DicomFailure when it is none of this transfer syntax, or deflated. */
export async function readShortDataset(bytes: Buffer, transferSyntax: string): Promise<DicomJson> {
  const syntax = transferSyntaxOf(transferSyntax);
  if (!syntax || syntax.deflated)
    throw new DicomFailure(failureReason.transferSyntax, 'A short data set of another transfer syntax.');
  const source: ByteSource = {
    size: bytes.length,
    has: (at, length) => at + length <= bytes.length,
    load: async () => undefined,
    bytes: (at, length) => bytes.subarray(at, at + length),
  };
  return (await parseDataset(source, 0, syntax)).dataset;
}
