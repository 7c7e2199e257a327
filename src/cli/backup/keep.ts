/** Retention of backups: old archives go, and images that no remaining archive names go with them. */
import { readdir, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditKeys } from '../../access/index.ts';
import type { Vault } from '../../vault/index.ts';
import { readArchive } from './archive-reader.ts';
import { type BlobLine, placeInSet } from './blob-set.ts';
import { archiveSuffix, setFolder } from './take.ts';

const dayMs = 86_400_000;
/** However old they are: a backup that stopped weeks ago must not take the last good ones with it. */
const alwaysKept = 2;

/** Archives of a folder, oldest first; their names are their instants. */
export async function archivesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => /^\d{8}T\d{6}Z\.backup$/.test(name)).sort();
}

/** @returns what was removed. @throws Error when an archive that stays cannot be read: then nothing is removed. */
export async function removeOldBackups(
  vault: Vault,
  keys: AuditKeys,
  folder: string,
  keepDays: number,
  now: Date,
): Promise<{ archives: string[]; blobs: number }> {
  const names = await archivesIn(folder);
  const limit = now.getTime() - keepDays * dayMs;
  const old = names.slice(0, -alwaysKept).filter((name) => instantOf(name).getTime() < limit);
  if (old.length === 0) return { archives: [], blobs: 0 };
  const named = new Set<string>();
  for (const name of names.filter((candidate) => !old.includes(candidate))) {
    await readArchive(vault, keys, join(folder, name), async ({ kind }, data) => {
      const pieces: Buffer[] = [];
      for await (const piece of data) if (kind === 'blobs') pieces.push(piece);
      for (const line of Buffer.concat(pieces).toString('utf8').split('\n')) {
        if (line !== '') named.add(placeInSet('', JSON.parse(line) as BlobLine));
      }
    });
  }
  for (const name of old) await unlink(join(folder, name));
  let blobs = 0;
  const set = join(folder, setFolder);
  for (const entry of await readdir(set, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (named.has(path.slice(set.length + 1))) continue;
    await rm(path, { force: true });
    blobs++;
  }
  return { archives: old, blobs };
}

export function instantOf(name: string): Date {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(name) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** The newest archive of a folder, or the file itself. */
export async function archiveAt(from: string): Promise<string | undefined> {
  if (from.endsWith(archiveSuffix)) return from;
  const newest = (await archivesIn(from)).at(-1);
  return newest && join(from, newest);
}
