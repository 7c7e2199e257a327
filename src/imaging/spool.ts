/** One part of a request on its way to the disk: written as it comes, hashed, made durable, and read as DICOM. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw, deflateRawSync } from 'node:zlib';
import type { ReadableFile } from '../vault/index.ts';
import type { BlobStore, DraftFile } from './blob-store.ts';
import { DicomFailure, failureReason } from './dicom/failure.ts';
import { readRange } from './dicom/file-range.ts';
import { type ParsedInstance, parseInstance } from './dicom/instance.ts';
import type { DicomJson } from './dicom/json-model.ts';
import { type Inspect, inspectDocuments } from './encapsulated.ts';

/** An instance on disk, not yet indexed. */
export interface Spooled extends Omit<ParsedInstance, 'dataset' | 'bulk'> {
  blob: string;
  size: number;
  sha256: Buffer;
  /** What the index needs of the header. */
  header: DicomJson;
  /** Whole header, DICOM JSON, raw deflate. */
  metadata: Buffer;
  /** About what it holds in memory until the commit. */
  heldBytes: number;
  /** Resolves when the bytes are durable. */
  durable: Promise<void>;
}

const headBytes = 64 * 1024;
const writeBytes = 512 * 1024;
const maximumInstanceBytes = 8 * 1024 ** 3;
/** A data set that inflates beyond this is refused: real deflated instances are small, bombs are not. */
const maximumInflatedBytes = 64 * 1024 * 1024;
const metadataLevel = 4;

/**
 * Writes one part to the disk and reads it. Nothing stays of a part that is refused.
 * @param keep picks what the index needs of the header.
 * @param inspect sees every document inside, before anything else does.
 * @throws DicomFailure why the instance cannot be stored; anything else (a broken connection, a full disk) as it is.
 */
export async function spool(
  part: Readable,
  tenant: string,
  blobs: BlobStore,
  keep: (dataset: DicomJson) => DicomJson,
  inspect?: Inspect,
): Promise<Spooled> {
  const draft = await blobs.create(tenant);
  const open: DraftFile[] = [draft.file];
  try {
    const { size, sha256, head } = await write(part, draft.file);
    let readable = await draft.file.finish();
    const parsed = await parseInstance(readable, head, async (file, datasetStart) => {
      const copy = await blobs.createCopy(draft);
      open.push(copy);
      readable = await inflate(file, datasetStart, copy);
      return readable;
    });
    if (inspect) await inspectDocuments(parsed, readable, inspect);
    const { dataset, bulk: _, ...identity } = parsed;
    const metadata = deflateRawSync(JSON.stringify(dataset), { level: metadataLevel });
    const header = keep(dataset);
    const durable = synchronise(open);
    // Its failure is met where it is awaited, before the index is written.
    durable.catch(() => undefined);
    return {
      ...identity,
      blob: draft.blob,
      size,
      sha256,
      header,
      metadata,
      heldBytes: metadata.length + JSON.stringify(header).length + layoutBytes(parsed.pixels),
      durable,
    };
  } catch (error) {
    await Promise.allSettled(open.map((file) => file.close()));
    await blobs.discard(tenant, draft.blob);
    throw error;
  }
}

const bytesPerFrame = 64;
const bytesPerNumber = 16;

/** A file of a few megabytes may be a million empty fragments. */
function layoutBytes(pixels: ParsedInstance['pixels']): number {
  return (pixels?.encapsulated ?? []).reduce((sum, frame) => sum + bytesPerFrame + frame.length * bytesPerNumber, 0);
}

async function write(part: Readable, file: DraftFile): Promise<{ size: number; sha256: Buffer; head: Buffer }> {
  const hash = createHash('sha256');
  const heads: Buffer[] = [];
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let headLength = 0;
  let size = 0;
  const flush = async () => {
    if (waitingBytes === 0) return;
    const batch = waiting;
    waiting = [];
    waitingBytes = 0;
    await file.write(batch);
  };
  for await (const chunk of part as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumInstanceBytes)
      throw new DicomFailure(failureReason.resources, 'The instance is larger than 8 GiB.');
    hash.update(chunk);
    if (headLength < headBytes) {
      heads.push(chunk);
      headLength += chunk.length;
    }
    waiting.push(chunk);
    waitingBytes += chunk.length;
    if (waitingBytes >= writeBytes) await flush();
  }
  await flush();
  return {
    size,
    sha256: hash.digest(),
    head: heads.length === 1 ? (heads[0] ?? Buffer.alloc(0)) : Buffer.concat(heads),
  };
}

async function inflate(file: ReadableFile, start: number, copy: DraftFile): Promise<ReadableFile> {
  let size = 0;
  try {
    await pipeline(
      Readable.from(readRange(file, start, file.size - start)),
      createInflateRaw(),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          size += chunk.length;
          if (size > maximumInflatedBytes) {
            throw new DicomFailure(failureReason.resources, 'The deflated data set inflates to more than 64 MiB.');
          }
          await copy.write([chunk]);
        }
      },
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_'))
      throw new DicomFailure(failureReason.unreadable, 'The deflated data set cannot be inflated.');
    throw error;
  }
  return copy.finish();
}

async function synchronise(files: readonly DraftFile[]): Promise<void> {
  try {
    await Promise.all(files.map((file) => file.datasync()));
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}
