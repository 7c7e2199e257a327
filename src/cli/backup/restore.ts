/** Restores an archive into an empty database and an empty folder of images. */
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { auditKeyFiles, openAuditKeys } from '../../access/index.ts';
import { type Config, dataFolder } from '../../config/index.ts';
import { migrate, migrationsFolder } from '../../db/index.ts';
import type { Vault } from '../../vault/index.ts';
import { CommandError } from '../command-error.ts';
import { readArchive } from './archive-reader.ts';
import { type BlobLine, exists, objectNameOf, placeInSet, verifyBlob } from './blob-set.ts';
import { openLoader } from './load-tables.ts';
import type { Manifest, VerifiedManifest } from './manifest.ts';
import { setFolder } from './take.ts';

export interface Restored extends VerifiedManifest {
  rows: number;
  blobs: number;
  /** Images the archive names and that are not beside it any more, or damaged. */
  missing: string[];
}

/**
 * Verifies the archive first, then restores: the database in one transaction, after it images and keys.
 * @param adminUrl the owner of an empty database; the schema is made here, as it was when the archive was made, then brought up to date.
 */
export async function restoreBackup(
  config: Config,
  adminUrl: string,
  vault: Vault,
  archive: string,
): Promise<Restored> {
  const keys = openAuditKeys(auditKeyFiles(config));
  const verified = await readArchive(vault, keys, archive);
  const { manifest } = verified;
  await migrateAsItWas(adminUrl, manifest);
  const loader = await openLoader(adminUrl, manifest);
  const lines: BlobLine[] = [];
  try {
    await readArchive(vault, keys, archive, async ({ kind, name }, data) => {
      if (kind === 'table') return loader.load(name, data);
      if (kind === 'blobs') lines.push(...parseLines(await textOf(data)));
      else await writeFileOf(pathOf(config, kind, name), data);
    });
    await loader.finish();
  } catch (error) {
    await loader.abandon();
    throw error;
  }
  await migrate(adminUrl, migrationsFolder);
  const missing = await restoreBlobs(config, vault, join(dirname(archive), setFolder), lines, manifest);
  const rows = manifest.entries.reduce((sum, entry) => sum + (entry.rows ?? 0), 0);
  return { ...verified, rows, blobs: lines.length - missing.length, missing };
}

/** The schema the rows were written for: those of the present version's migrations that had been applied then. */
async function migrateAsItWas(adminUrl: string, manifest: Manifest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-migrations-'));
  try {
    for (const { name, sha256 } of manifest.migrations) {
      const source = join(migrationsFolder, name);
      const text = await readFile(source).catch(() => undefined);
      if (!text || createHash('sha256').update(text).digest('hex') !== sha256) {
        throw new CommandError(
          `La sauvegarde vient d’une autre version : sa migration ${name} n’est pas celle de ce programme. Restaurez avec la version qui l’a faite.`,
        );
      }
      await cp(source, join(folder, name));
    }
    await migrate(adminUrl, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function restoreBlobs(
  config: Config,
  vault: Vault,
  set: string,
  lines: readonly BlobLine[],
  manifest: Manifest,
): Promise<string[]> {
  const missing: string[] = [];
  for (const line of lines) {
    const target = placeInSet(dataFolder(config, 'blobs'), checked(line));
    try {
      if (manifest.blobs.place === 'beside' && !(await exists(target))) {
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await copyFile(placeInSet(set, line), target);
      }
      await verifyBlob(vault, target, objectNameOf(line));
    } catch (error) {
      const { code, name } = error as { code?: string; name?: string };
      if (code !== 'ENOENT' && name !== 'VaultError') throw error;
      missing.push(`${line.tenant}/${line.file}`);
    }
  }
  return missing;
}

function pathOf(config: Config, kind: string, name: string): string {
  if (kind === 'blob') {
    const [tenant = '', file = ''] = name.split('/');
    return placeInSet(dataFolder(config, 'blobs'), checked({ tenant, file }));
  }
  if (isAbsolute(name) || name.split(/[\\/]/).includes('..'))
    throw new CommandError('La sauvegarde nomme un fichier hors du dossier de données : rien n’est restauré.');
  return join(config.dataDir, name);
}

function checked<T extends Pick<BlobLine, 'tenant' | 'file'>>(line: T): T {
  if (!/^[a-z][a-z0-9-]{1,30}$/.test(line.tenant) || !/^v[0-9a-f]{31}(\.inflated)?$/.test(line.file)) {
    throw new CommandError('La sauvegarde nomme une image comme aucune ne l’est : rien n’est restauré.');
  }
  return line;
}

/** Durable; a file that is there already is replaced. */
async function writeFileOf(path: string, data: AsyncIterable<Buffer>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'w', 0o600);
  try {
    for await (const piece of data) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function textOf(data: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of data) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

function parseLines(text: string): BlobLine[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as BlobLine);
}
