/** Where the files of a job lie: `<kind>s/<tenant>/<job>/<attempt>/`. Nothing but these functions makes a path of a name. */
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from './job.ts';

const safeName = /^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/;

export type JobName = Pick<Job, 'tenant' | 'id'>;

/** A sealed file, and the name the vault knows it by. */
export interface BulkFile {
  path: string;
  objectName: string;
}

/** @throws Error for a name that could leave the folder; every one of ours passes. */
export function jobFolder(root: string, { tenant, id }: JobName): string {
  if (!safeName.test(tenant) || !safeName.test(id)) throw new Error('not the name of a job');
  return join(root, tenant, id);
}

function attemptFolder(root: string, job: JobName & { attempt: number }): string {
  return join(jobFolder(root, job), String(job.attempt));
}

/** A file of an export, gzip inside, sealed outside. */
export function exportedFile(root: string, job: JobName & { attempt: number }, name: string): BulkFile {
  if (!safeName.test(name)) throw new Error('not the name of a file');
  const file = `${name}.gz`;
  return {
    path: join(attemptFolder(root, job), file),
    objectName: `bulk/${job.tenant}/${job.id}/${job.attempt}/${file}`,
  };
}

/** What an import was given. */
export function inputFile(root: string, job: JobName): BulkFile {
  return { path: join(jobFolder(root, job), 'input.ndjson'), objectName: `bulk/${job.tenant}/${job.id}/input.ndjson` };
}

/** An empty folder for an attempt; what earlier attempts left is gone. */
export async function freshFolder(root: string, job: JobName & { attempt: number }): Promise<string> {
  await rm(jobFolder(root, job), { recursive: true, force: true });
  const folder = attemptFolder(root, job);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

export async function removeJobFiles(root: string, job: JobName): Promise<void> {
  await rm(jobFolder(root, job), { recursive: true, force: true });
}

/** Jobs of a tenant in whose folder nothing was written since. */
export async function namesUntouchedSince(root: string, tenant: string, before: Date): Promise<string[]> {
  if (!safeName.test(tenant)) return [];
  const untouched: string[] = [];
  for (const id of (await readdir(join(root, tenant)).catch(() => [])).filter((name) => safeName.test(name))) {
    const folder = jobFolder(root, { tenant, id });
    const files = await readdir(folder, { recursive: true }).catch(() => []);
    // One that goes away meanwhile is somebody else's business.
    const times = await Promise.all([folder, ...files.map((file) => join(folder, file))].map(lastWritten));
    if (times.every((time) => time < before.getTime())) untouched.push(id);
  }
  return untouched;
}

/** Milliseconds since 1970; no time ago when it cannot be known. */
async function lastWritten(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
}

/** Names of new files survive a crash once their folder is flushed. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
