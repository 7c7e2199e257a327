/**
 * Images in a backup. Their files never change and their names are random: a set of files beside the archives holds each once, however
 * many archives name it, and a backup copies what is not there yet. They are copied sealed, as they are.
 */
import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import type { BlobFile, BlobStore } from '../../imaging/index.ts';
import type { Vault } from '../../vault/index.ts';
import type { ArchiveWriter } from './archive-writer.ts';
import { enterTenant } from './dump-tables.ts';

/** A line of the entry `blobs`. */
export interface BlobLine {
  tenant: string;
  /** `v…`, or `v….inflated`. */
  file: string;
  bytes: number;
}

export interface BlobCounts {
  count: number;
  bytes: number;
  /** Copied now. */
  copied: number;
  /** Named by the index and not there. */
  missing: string[];
}

const blobsPerPage = 1000;

/** Blobs the index names in the snapshot. */
async function* blobsOf(
  client: pg.Client,
  tenants: readonly string[],
): AsyncGenerator<{ tenant: string; blob: string }> {
  for (const tenant of tenants) {
    await enterTenant(client, tenant);
    for (let last = ''; ; ) {
      const { rows } = await client.query<{ blob: string }>(
        'SELECT blob FROM dicom_instance WHERE tenant = $1 AND blob > $2 ORDER BY blob LIMIT $3',
        [tenant, last, blobsPerPage],
      );
      for (const { blob } of rows) yield { tenant, blob };
      const end = rows.at(-1)?.blob;
      if (end === undefined) break;
      last = end;
    }
  }
  await enterTenant(client, undefined);
}

export function placeInSet(set: string, { tenant, file }: Pick<BlobLine, 'tenant' | 'file'>): string {
  return join(set, tenant, file.slice(0, 2), file);
}

export function objectNameOf({ tenant, file }: Pick<BlobLine, 'tenant' | 'file'>): string {
  return `blob/${tenant}/${file}`;
}

/**
 * Copies what the set lacks, verifies each copy by reading it as it would be read after a restore, and lists every file.
 * @param set folder beside the archive; undefined puts the files into the archive.
 */
export async function backUpBlobs(
  parts: { client: pg.Client; tenants: readonly string[]; blobs: BlobStore; vault: Vault; archive: ArchiveWriter },
  set: string | undefined,
): Promise<BlobCounts> {
  const counts: BlobCounts = { count: 0, bytes: 0, copied: 0, missing: [] };
  const lines: Buffer[] = [];
  for await (const { tenant, blob } of blobsOf(parts.client, parts.tenants)) {
    const files = await parts.blobs.filesOf(tenant, blob);
    if (files.length === 0) counts.missing.push(`${tenant}/${blob}`);
    for (const file of files) {
      const line: BlobLine = { tenant, file: file.file, bytes: (await stat(file.path)).size };
      if (set === undefined) await parts.archive.entry('blob', `${tenant}/${file.file}`, createReadStream(file.path));
      else if (await copyToSet(parts.vault, set, file, line)) counts.copied++;
      lines.push(Buffer.from(`${JSON.stringify(line)}\n`));
      counts.count++;
      counts.bytes += line.bytes;
    }
  }
  await parts.archive.entry('blobs', 'blobs.ndjson', asyncOf(lines));
  return counts;
}

/** @returns false when it was there. */
async function copyToSet(vault: Vault, set: string, file: BlobFile, line: BlobLine): Promise<boolean> {
  const place = placeInSet(set, line);
  if (await exists(place)) {
    await vault.rewrap(place, file.objectName);
    return false;
  }
  await mkdir(join(place, '..'), { recursive: true, mode: 0o700 });
  const part = `${place}.part`;
  await copyFile(file.path, part);
  const copy = await open(part, 'r+');
  await copy.sync().finally(() => copy.close());
  await verifyBlob(vault, part, file.objectName);
  await rename(part, place);
  return true;
}

/** Reads a sealed file to its end. @throws VaultError when it is not what was sealed. */
export async function verifyBlob(vault: Vault, path: string, objectName: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const file = await vault.open(handle, objectName);
    const buffer = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < file.size; ) at += (await file.read(buffer, 0, buffer.length, at)).bytesRead;
  } finally {
    await handle.close();
  }
}

export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function* asyncOf(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}
