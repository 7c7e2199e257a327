/** The archive's files and the master keys: sealing what is older than the vault, and wrapping after a rotation (SE-12). */
import { createHash } from 'node:crypto';
import type { Database } from '../db/index.ts';
import { type BlobStore, isSealedBlob } from './blob-store.ts';
import { readRange } from './dicom/file-range.ts';

export interface AtRest {
  /** Files that were in clear and are sealed now. */
  sealed: number;
  /** Files whose key was wrapped again. */
  rewrapped: number;
  /** Blobs the index names whose file is not there, or not what was stored: to be restored from a backup. */
  damaged: string[];
}

const blobsPerBatch = 500;

/** Goes over every blob of a tenant; may be stopped and begun again at any time, and runs beside the server. */
export async function keepAtRest(database: Database, blobs: BlobStore, tenant: string): Promise<AtRest> {
  const result: AtRest = { sealed: 0, rewrapped: 0, damaged: [] };
  for (let last = ''; ; ) {
    const { rows } = await database.query<{ blob: string; sha256: Buffer }>(
      tenant,
      'SELECT blob, sha256 FROM dicom_instance WHERE tenant = $1 AND blob > $2 ORDER BY blob LIMIT $3',
      [tenant, last, blobsPerBatch],
    );
    for (const { blob, sha256 } of rows) {
      try {
        if (isSealedBlob(blob)) result.rewrapped += await blobs.rewrap(tenant, blob);
        else if (await sealBlob(database, blobs, tenant, blob, sha256)) result.sealed++;
      } catch (error) {
        const { code, name } = error as { code?: string; name?: string };
        if (code !== 'ENOENT' && name !== 'VaultError' && !(error instanceof ChangedError)) throw error;
        result.damaged.push(blob);
      }
    }
    const end = rows.at(-1)?.blob;
    if (end === undefined) return result;
    last = end;
  }
}

/** A clear file that does not hold what was received: sealing it would vouch for it. */
class ChangedError extends Error {
  override name = 'ChangedError';
}

/** A sealed copy takes the clear file's place in the index; the clear file goes when nothing names it any more. */
async function sealBlob(database: Database, blobs: BlobStore, tenant: string, blob: string, sha256: Buffer) {
  const draft = await blobs.create(tenant);
  const clear = await blobs.read(tenant, blob);
  const hash = createHash('sha256');
  let inflated = false;
  try {
    for await (const chunk of readRange(clear, 0, clear.size)) {
      hash.update(chunk);
      await draft.file.write([chunk]);
    }
    if (!hash.digest().equals(sha256)) throw new ChangedError('a stored file is not what was received');
    await draft.file.finish();
    await draft.file.datasync();
    inflated = await copyInflated(blobs, tenant, blob, draft);
    await blobs.sync();
  } catch (error) {
    await blobs.discard(tenant, draft.blob);
    throw error;
  } finally {
    await Promise.all([clear.close(), draft.file.close()]);
  }
  const { rowCount } = await database.query(
    tenant,
    'UPDATE dicom_instance SET blob = $3 WHERE tenant = $1 AND blob = $2',
    [tenant, blob, draft.blob],
  );
  if (!rowCount) {
    // Gone, or sealed by another process meanwhile.
    await blobs.discard(tenant, draft.blob);
    return false;
  }
  await blobs.settle(tenant, draft.blob, inflated);
  await blobs.destroy(tenant, blob);
  return true;
}

async function copyInflated(
  blobs: BlobStore,
  tenant: string,
  blob: string,
  draft: Parameters<BlobStore['createCopy']>[0],
): Promise<boolean> {
  const clear = await blobs.read(tenant, blob, true).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!clear) return false;
  const copy = await blobs.createCopy(draft);
  try {
    for await (const chunk of readRange(clear, 0, clear.size)) await copy.write([chunk]);
    await copy.finish();
    await copy.datasync();
    return true;
  } finally {
    await Promise.all([clear.close(), copy.close()]);
  }
}
