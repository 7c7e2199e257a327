/** Takes a backup: every table of one moment, the images it names, the signing keys; sealed, signed, verified after it is written. */
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { auditKeyFiles, openAuditKeys } from '../../access/index.ts';
import { type Config, dataFolder, dataKeysFile } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { isSealedBlob, openBlobStore } from '../../imaging/index.ts';
import type { Vault } from '../../vault/index.ts';
import { readArchive } from './archive-reader.ts';
import { openArchive } from './archive-writer.ts';
import { type BlobCounts, backUpBlobs } from './blob-set.ts';
import { appliedMigrations, partitions, sequences, tablesInOrder } from './catalogue.ts';
import { dumpTables, openSnapshot } from './dump-tables.ts';
import { type Manifest, signManifest } from './manifest.ts';

export const archiveSuffix = '.backup';
/** Folder of the images beside the archives of a folder. */
export const setFolder = 'blobs';

export interface TakenBackup {
  path: string;
  manifest: Manifest;
  blobs: BlobCounts;
}

/**
 * @param to a folder, where archives gather and share their images; or a file `….backup`, which then holds the images too.
 * @throws Error when the archive does not verify; then it is not left under its name.
 */
export async function takeBackup(config: Config, database: Database, vault: Vault, to: string): Promise<TakenBackup> {
  const isFile = to.endsWith(archiveSuffix);
  const snapshot = await openSnapshot(database.adminUrl);
  const id = snapshot.at.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const path = isFile ? to : join(to, `${id}${archiveSuffix}`);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.part`;
  await rm(part, { force: true });
  const keys = openAuditKeys(auditKeyFiles(config));
  const archive = openArchive(vault, part);
  try {
    const { client } = snapshot;
    const tenants = await database.tenants();
    const tables = await tablesInOrder(client);
    await dumpTables(client, tables, tenants, archive);
    const store = await openBlobStore(dataFolder(config, 'blobs'), vault);
    const blobs = await backUpBlobs(
      { client, tenants, blobs: store, vault, archive },
      isFile ? undefined : join(to, setFolder),
    );
    for (const file of await keptFiles(config)) {
      await archive.entry('file', relative(config.dataDir, file).replaceAll('\\', '/'), createReadStream(file));
    }
    const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version') AS version");
    const manifest: Manifest = {
      format: 1,
      id,
      snapshotAt: snapshot.at.toISOString(),
      finishedAt: new Date().toISOString(),
      passerelle: process.env.npm_package_version ?? '0',
      postgresql: rows[0]?.version ?? '',
      tenants,
      migrations: await appliedMigrations(client),
      partitions: await partitions(client),
      sequences: await sequences(client),
      columns: Object.fromEntries(tables.map(({ name, columns }) => [name, columns])),
      blobs: { count: blobs.count, bytes: blobs.bytes, place: isFile ? 'inside' : 'beside' },
      entries: [...archive.entries],
    };
    await archive.end(await signManifest(manifest, keys));
    // Read back from the disk as a restore would: what cannot be restored is no backup.
    await readArchive(vault, keys, part);
    await rename(part, path);
    await flushFolder(dirname(path));
    return { path, manifest, blobs };
  } catch (error) {
    await archive.abandon();
    await rm(part, { force: true });
    throw error;
  } finally {
    await snapshot.end();
  }
}

/** Whether every image can be copied as it is: those in clear have to be sealed first (`keys seal`). */
export async function clearBlobs(database: Database): Promise<number> {
  let count = 0;
  for (const tenant of await database.tenants()) {
    const { rows } = await database.query<{ blob: string }>(
      tenant,
      "SELECT blob FROM dicom_instance WHERE tenant = $1 AND blob < 'v' LIMIT 1",
      [tenant],
    );
    count += rows.filter(({ blob }) => !isSealedBlob(blob)).length;
  }
  return count;
}

/** Signing keys and the anchors of the trail: what is worth nothing without, and lies beside the database. Never the data keys. */
async function keptFiles(config: Config): Promise<string[]> {
  const dataKeys = dataKeysFile(config);
  const files: string[] = [];
  for (const folder of [dataFolder(config, 'keys'), join(config.dataDir, 'audit')]) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    files.push(...entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)));
  }
  return files.filter((file) => !file.startsWith(dataKeys)).sort();
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
