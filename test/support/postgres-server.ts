import { chmod, mkdtemp, readdir, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ensureDatabase, migrate, migrationsFolder, startEmbeddedPostgres } from '../../src/db/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser connection string of the suite's PostgreSQL. */
    superuserUrl: string;
  }
}

/** One real PostgreSQL for the whole run; each test file gets a database copied from a migrated template (`testDatabase`). */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const place = await placeForTests(project.name);
  await forgetKilledRuns(place);
  const directory = await mkdtemp(join(place, `${folderName}${process.pid}-`));
  // PostgreSQL's own account passes through it, to this server's folder and to those of the servers that tests start.
  await chmod(directory, 0o711);
  // Durability is not what these tests are about; those that kill the server start one of their own.
  const server = await startEmbeddedPostgres({
    directory: join(directory, 'postgres'),
    settings: [
      'fsync=off',
      'full_page_writes=off',
      'max_connections=200',
      'shared_buffers=256MB',
      'max_wal_size=256MB',
    ],
  });
  const template = await ensureDatabase(server.superuserUrl, 'template_passerelle');
  await migrate(template, migrationsFolder);
  project.provide('superuserUrl', server.superuserUrl);
  // What tests put into the temporary folder is beside it, and gone with it, whatever they leave.
  const { TMPDIR } = process.env;
  process.env.TMPDIR = directory;
  return async () => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}

const folderName = 'passerelle-test-';

/** A run that was killed leaves its folder, in memory at that; a PostgreSQL left on it ends by itself when its lock file is gone. */
async function forgetKilledRuns(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    const pid = name.startsWith(folderName) ? Number.parseInt(name.slice(folderName.length), 10) : Number.NaN;
    if (!Number.isNaN(pid) && !isAlive(pid)) await rm(join(place, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const memoryFolder = '/dev/shm';
/** Octets the suite may take: its databases, a few at a time and dropped when their file is done, those of the servers that tests start. */
const roomNeeded = 4 * 1024 ** 3;

/**
 * A database is over two thousand files, copied for each test file: in memory that takes 0.05 s, on the disk of a virtual machine up to 3 s.
 * Where there is no such folder, or it is small, and for the long tests, which fill their databases, it is the disk.
 */
async function placeForTests(project: string): Promise<string> {
  if (process.env.PASSERELLE_TEST_DIR) return process.env.PASSERELLE_TEST_DIR;
  if (project === 'long') return tmpdir();
  const { bavail, bsize } = await statfs(memoryFolder).catch(() => ({ bavail: 0, bsize: 0 }));
  return Math.min(bavail * bsize, process.availableMemory()) >= roomNeeded ? memoryFolder : tmpdir();
}
