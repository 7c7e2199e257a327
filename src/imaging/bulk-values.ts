/** PS3.18 §10.4 (bulkdata): a value that the JSON of an instance only points to, found again in its file. */
import type { ReadableFile } from '../vault/index.ts';
import { fileSource } from './dicom/byte-source.ts';
import { type BulkValue, parseDataset } from './dicom/dataset-parser.ts';
import { readFileMeta } from './dicom/part10.ts';
import { transferSyntaxOf } from './dicom/transfer-syntax.ts';
import type { ServedInstance } from './stored-instances.ts';

/**
 * Where the value at `path` (`00880200/0/7FE00010`) is in the file given, which is the inflated copy when `inflated`.
 * Header walks are cheap (the pixels are stepped over), so no index of bulk values is kept.
 */
export async function findBulkValue(
  file: ReadableFile,
  instance: ServedInstance,
  inflated: boolean,
  path: string,
): Promise<BulkValue | undefined> {
  const source = fileSource(file);
  const syntax = transferSyntaxOf(instance.transferSyntax);
  if (!syntax) return undefined;
  const start = inflated ? 0 : (await readFileMeta(source)).datasetStart;
  const { bulk } = await parseDataset(source, start, syntax);
  return bulk.find((value) => value.path === path);
}
