/** Whether two files of the archive are one instance: PS3.10 §7.1, what is written around a data set is the writer's own. */
import type { BlobStore } from './blob-store.ts';
import { fileSource } from './dicom/byte-source.ts';
import { readRange } from './dicom/file-range.ts';
import { readFileMeta } from './dicom/part10.ts';

/**
 * The same data set, byte for byte and in the same transfer syntax, behind whatever preamble and File Meta Information: an archive and a
 * gateway in front of it each write their own. A file that does not open any more is no other's equal.
 */
export async function isSameDataset(
  blobs: Pick<BlobStore, 'read'>,
  tenant: string,
  one: string,
  other: string,
): Promise<boolean> {
  const files = await Promise.allSettled([blobs.read(tenant, one), blobs.read(tenant, other)]);
  try {
    const [ours, theirs] = files.map((each) => (each.status === 'fulfilled' ? each.value : undefined));
    if (ours === undefined || theirs === undefined) return false;
    const [own, their] = [await readFileMeta(fileSource(ours)), await readFileMeta(fileSource(theirs))];
    const length = ours.size - own.datasetStart;
    if (own.syntax.uid !== their.syntax.uid || theirs.size - their.datasetStart !== length) return false;
    const chunks = readRange(theirs, their.datasetStart, length);
    for await (const chunk of readRange(ours, own.datasetStart, length)) {
      const { value } = await chunks.next();
      if (value === undefined || !chunk.equals(value)) return false;
    }
    return true;
  } finally {
    for (const each of files) if (each.status === 'fulfilled') await each.value.close();
  }
}
