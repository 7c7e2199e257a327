/** The NDJSON of an import, kept as a sealed file from its reception to the end of the job: what was acknowledged is on disk. */
import { createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Vault } from '../../vault/index.ts';
import { FhirError } from '../contract.ts';
import { flushFolder, inputFile, type JobName, jobFolder, removeJobFiles } from './folders.ts';

/** Octets of one import after decompression, and of one line: what one resource may be. */
const inputLimitBytes = 20 * 1024 ** 3;
const lineLimitBytes = 32 * 1024 ** 2;

/** Where imports lie, and what seals them. */
export interface ImportFiles {
  folder: string;
  vault: Vault;
}

/** Durable when it resolves. @throws FhirError 413, 400 for what is no gzip; then nothing is left. */
export async function keepInput(
  { folder: root, vault }: ImportFiles,
  job: JobName,
  body: Readable,
  isGzip: boolean,
): Promise<void> {
  const { path, objectName } = inputFile(root, job);
  await mkdir(jobFolder(root, job), { recursive: true, mode: 0o700 });
  try {
    const limit = limited(inputLimitBytes);
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    const sealing = vault.sealing(objectName);
    const octets = Readable.from(leftOpen(body), { objectMode: false });
    await (isGzip ? pipeline(octets, createGunzip(), limit, sealing, file) : pipeline(octets, limit, sealing, file));
    const handle = await open(path, 'r+');
    await handle.sync().finally(() => handle.close());
    await flushFolder(jobFolder(root, job));
  } catch (error) {
    await removeJobFiles(root, job);
    if (String((error as { code?: unknown }).code).startsWith('Z_')) {
      throw new FhirError(400, 'structure', 'the body is not gzip');
    }
    throw error;
  }
}

/** What fails behind it does not destroy the request: its connection carries the answer, and would never be heard again. */
async function* leftOpen(body: Readable): AsyncGenerator<Buffer> {
  // Not `yield*`: that would hand the failure on, and the iterator destroys what it reads then.
  for await (const octets of body.iterator({ destroyOnReturn: false })) yield octets as Buffer;
}

function limited(limitBytes: number): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size <= limitBytes) done(null, chunk);
      else done(new FhirError(413, 'too-long', 'the body is larger than this server takes'));
    },
  });
}

export interface InputLine {
  /** Octets without the line's end; undefined when the line is longer than a resource may be. */
  data: Buffer | undefined;
  /** Octets of the input up to the end of this line. */
  end: number;
}

/** Lines from an octet on; the last one may lack its end. */
export async function* linesOf(files: ImportFiles, job: JobName, position: number): AsyncGenerator<InputLine> {
  let end = position;
  let parts: Buffer[] = [];
  let length = 0;
  const line = (size: number): InputLine => {
    const data = length > lineLimitBytes ? undefined : Buffer.concat(parts);
    end += size;
    parts = [];
    length = 0;
    return { data, end };
  };
  let pending = 0;
  for await (const octets of inputFrom(files, job, position)) {
    let start = 0;
    for (let at = octets.indexOf(10); at !== -1; at = octets.indexOf(10, start)) {
      keep(octets.subarray(start, at));
      yield line(pending + at - start + 1);
      pending = 0;
      start = at + 1;
    }
    keep(octets.subarray(start));
    pending += octets.length - start;
  }
  if (pending > 0) yield line(pending);

  function keep(part: Buffer): void {
    length += part.length;
    // Longer than it may be: only its length is still of interest.
    if (length <= lineLimitBytes) parts.push(part);
    else parts = [];
  }
}

const readBytes = 256 * 1024;

/** The input from a position on, verified as it is read. */
async function* inputFrom({ folder, vault }: ImportFiles, job: JobName, position: number): AsyncGenerator<Buffer> {
  const { path, objectName } = inputFile(folder, job);
  const handle = await open(path, 'r');
  try {
    const file = await vault.open(handle, objectName);
    for (let at = position; at < file.size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(readBytes, file.size - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
