/**
 * The files of the archive, sealed (SE-12). A file is written under `incoming/`, made durable, and takes its place only after the index row that
 * names it is committed: a crash leaves either nothing but a file to sweep, or a file to put in its place at the next start.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { destroyFile, type ReadableFile, type Vault } from '../vault/index.ts';

/** A file being received. Its name is ours: no identifier of the data ever becomes part of a path. */
export interface Draft {
  tenant: string;
  blob: string;
  file: DraftFile;
}

/** Written from front to back, then read. */
export interface DraftFile {
  write(chunks: readonly Buffer[]): Promise<void>;
  /** What was written, whole; reading goes on until `close`. */
  finish(): Promise<ReadableFile>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** A file of a blob: the instance, or its inflated copy. */
export interface BlobFile {
  path: string;
  /** Name below `<tenant>/<first two characters>/`. */
  file: string;
  /** Name the vault knows it by. */
  objectName: string;
}

export interface BlobStore {
  create(tenant: string): Promise<Draft>;
  /** A second file of the same blob: the inflated copy of a deflated data set. */
  createCopy(draft: Draft): Promise<DraftFile>;
  /** Makes the names of the drafts durable (their bytes are synchronised by whoever wrote them). */
  sync(): Promise<void>;
  /** Puts a committed draft, with its inflated copy when it has one, in its place. */
  settle(tenant: string, blob: string, inflated: boolean): Promise<void>;
  discard(tenant: string, blob: string): Promise<void>;
  /**
   * Opens a stored file for reading; the caller closes it.
   * @throws the file system's error when it is not there; VaultError when it is not what was stored.
   */
  read(tenant: string, blob: string, inflated?: boolean): Promise<ReadableFile>;
  /** The files of a blob where they are now, as they are on the disk, for backups. A blob that is being settled may move meanwhile. */
  filesOf(tenant: string, blob: string): Promise<BlobFile[]>;
  /**
   * Wraps the key of a blob's files with the current master key.
   * @returns how many files it changed. @throws ENOENT when there is none.
   */
  rewrap(tenant: string, blob: string): Promise<number>;
  /** Destroys the files of a blob that no index names any more: what a disk still holds of them cannot be opened. */
  destroy(tenant: string, blob: string): Promise<void>;
  /** Finishes or removes what processes that are gone left behind. */
  sweep(isIndexed: (tenant: string, blob: string) => Promise<boolean>): Promise<{ settled: number; removed: number }>;
}

const copySuffix = '.inflated';
const ownerFile = 'owner.json';
/** Who owns an incoming folder. */
const thisProcess = { host: hostname(), pid: process.pid, startedMs: Math.round(performance.timeOrigin) };
/** A server on another machine is taken for dead after this long without a sign of life. */
const foreignAgeMs = 24 * 3_600_000;
/** The name says whether the file is sealed, so that nobody can put a clear one in its place: `v` since there is a vault. */
const blobPattern = /^[0-9a-fv][0-9a-f]{31}$/;
const tenantPattern = /^[a-z][a-z0-9-]{1,30}$/;

/** Whether what the name names is sealed. */
export function isSealedBlob(blob: string): boolean {
  return blob.startsWith('v');
}

/** Opens the store on `folder`, creating it. One store per folder and process. */
export async function openBlobStore(folder: string, vault: Vault): Promise<BlobStore> {
  const incoming = join(folder, 'incoming');
  const owned = join(incoming, randomBytes(8).toString('hex'));
  const makeOwned = async () => {
    await mkdir(owned, { recursive: true });
    await writeFile(join(owned, ownerFile), JSON.stringify(thisProcess));
  };
  await makeOwned();

  /** Makes a new file; another server may have taken this one for dead after a quiet day, and removed its folder. */
  async function createFile(path: string): Promise<FileHandle> {
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    return open(path, flags, 0o600).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      await makeOwned();
      return open(path, flags, 0o600);
    });
  }

  const draftPath = (tenant: string, blob: string) => join(owned, `${checkedTenant(tenant)}.${checkedBlob(blob)}`);
  const placeFolder = (tenant: string, blob: string) =>
    join(folder, checkedTenant(tenant), checkedBlob(blob).slice(0, 2));
  const place = (tenant: string, blob: string) => join(placeFolder(tenant, blob), blob);
  const objectName = (tenant: string, blob: string, suffix: string) => `blob/${tenant}/${blob}${suffix}`;

  async function createDraft(tenant: string, blob: string, suffix: string): Promise<DraftFile> {
    const file = await createFile(draftPath(tenant, blob) + suffix);
    return {
      ...vault.create(file, objectName(tenant, blob, suffix)),
      datasync: () => file.datasync(),
      close: () => file.close(),
    };
  }

  async function opened(file: FileHandle, tenant: string, blob: string, suffix: string): Promise<ReadableFile> {
    try {
      return isSealedBlob(blob) ? await vault.open(file, objectName(tenant, blob, suffix)) : await clearFile(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Every file of a blob, wherever it is now. */
  async function filesOf(tenant: string, blob: string): Promise<BlobFile[]> {
    const found = await lookFor(tenant, blob);
    // One that was just settling was in neither place when it was looked for.
    return found.length > 0 ? found : lookFor(tenant, blob);
  }

  async function lookFor(tenant: string, blob: string): Promise<BlobFile[]> {
    const name = `${checkedTenant(tenant)}.${checkedBlob(blob)}`;
    const unsettled = (await readdir(incoming)).map((owner) => join(incoming, owner, name));
    const candidates = [place(tenant, blob), ...unsettled].flatMap((path) =>
      ['', copySuffix].map((suffix) => ({
        path: path + suffix,
        file: blob + suffix,
        objectName: objectName(tenant, blob, suffix),
      })),
    );
    const found = await Promise.all(candidates.map(({ path }) => stat(path).then(() => true, unlessGone(false))));
    return candidates.filter((_, index) => found[index]);
  }

  async function put(from: string, tenant: string, blob: string, inflated: boolean): Promise<void> {
    // The copy first: whoever finds the file finds its copy.
    for (const suffix of inflated ? [copySuffix, ''] : ['']) {
      const target = place(tenant, blob) + suffix;
      await rename(from + suffix, target).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await mkdir(placeFolder(tenant, blob), { recursive: true });
        await rename(from + suffix, target);
      });
    }
  }

  /** A committed file that is not in its place yet: of this process, of another one, or of one that a power cut ended. */
  async function openUnsettled(tenant: string, blob: string, suffix: string): Promise<FileHandle | undefined> {
    const name = `${checkedTenant(tenant)}.${checkedBlob(blob)}${suffix}`;
    for (const owner of await readdir(incoming)) {
      const file = await open(join(incoming, owner, name), 'r').catch(() => undefined);
      if (file) return file;
    }
    return undefined;
  }

  return {
    async create(tenant) {
      const blob = `v${randomBytes(16).toString('hex').slice(1)}`;
      return { tenant, blob, file: await createDraft(tenant, blob, '') };
    },
    createCopy: ({ tenant, blob }) => createDraft(tenant, blob, copySuffix),
    async sync() {
      const directory = await open(owned, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    },
    settle: (tenant, blob, inflated) => put(draftPath(tenant, blob), tenant, blob, inflated),
    async discard(tenant, blob) {
      await rm(draftPath(tenant, blob), { force: true });
      await rm(draftPath(tenant, blob) + copySuffix, { force: true });
    },
    async read(tenant, blob, inflated = false) {
      const suffix = inflated ? copySuffix : '';
      const path = place(tenant, blob) + suffix;
      const file = await open(path, 'r').catch(unlessGone(undefined));
      const found = file ?? (await openUnsettled(tenant, blob, suffix)) ?? (await open(path, 'r'));
      return opened(found, tenant, blob, suffix);
    },
    async rewrap(tenant, blob) {
      if (!isSealedBlob(blob)) return 0;
      let changed = 0;
      const files = await filesOf(tenant, blob);
      if (files.length === 0) throw Object.assign(new Error('a stored file is missing'), { code: 'ENOENT' });
      for (const { path, objectName: name } of files) {
        if (await vault.rewrap(path, name)) changed++;
      }
      return changed;
    },
    async destroy(tenant, blob) {
      for (const { path } of await filesOf(tenant, blob)) await destroyFile(path);
    },
    filesOf,
    async sweep(isIndexed) {
      const counts = { settled: 0, removed: 0 };
      for (const name of await readdir(incoming)) {
        const path = join(incoming, name);
        if (path === owned) continue;
        const abandoned = await isAbandoned(path).catch(unlessGone(false));
        const files = new Set(await readdir(path).catch(unlessGone<string[]>([])));
        for (const file of files) {
          const [tenant = '', blob = ''] = file.split('.');
          if (!tenantPattern.test(tenant) || !blobPattern.test(blob) || file.endsWith(copySuffix)) continue;
          if (await isIndexed(tenant, blob)) {
            // Right at any time: should its owner be alive, it finds the file moved.
            await put(join(path, file), tenant, blob, files.has(file + copySuffix)).catch(unlessGone(undefined));
            counts.settled++;
          } else if (abandoned) {
            await unlink(join(path, file)).catch(unlessGone(undefined));
            counts.removed++;
          }
        }
        if (abandoned) await rm(path, { recursive: true, force: true });
      }
      return counts;
    },
  };
}

/** A file from before there was a vault. */
async function clearFile(file: FileHandle): Promise<ReadableFile> {
  const { size } = await file.stat();
  return {
    size,
    read: (buffer, offset, length, position) => file.read(buffer, offset, length, position),
    close: () => file.close(),
  };
}

/** The owner, or another server that starts, was faster: what is gone needs no care any more. */
function unlessGone<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    return instead;
  };
}

/** Whether the process that owned an incoming folder is gone; on another machine only time can tell. */
async function isAbandoned(path: string): Promise<boolean> {
  const owner = await readFile(join(path, ownerFile), 'utf8')
    .then((text) => JSON.parse(text) as Partial<typeof thisProcess>)
    .catch(() => undefined);
  if (!owner?.pid || owner.host !== hostname()) {
    const { mtimeMs } = await stat(path);
    return Date.now() - mtimeMs > foreignAgeMs;
  }
  // In a container every start has the same number.
  if (owner.pid === process.pid) return owner.startedMs !== thisProcess.startedMs;
  const { mtimeMs } = await stat(join(path, ownerFile));
  // Older than this boot of the machine: the number may be anybody's now.
  return mtimeMs < Date.now() - uptime() * 1000 || !isAlive(owner.pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function checkedTenant(tenant: string): string {
  if (!tenantPattern.test(tenant)) throw new Error('not the name of a tenant');
  return tenant;
}

function checkedBlob(blob: string): string {
  if (!blobPattern.test(blob)) throw new Error('not the name of a blob');
  return blob;
}
