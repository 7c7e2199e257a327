/**
 * The trail as files that prove themselves: seals, rows of the journal and AuditEvents, each a line, in the order of the chain. Whoever has the
 * folder and a public key needs no database (docs/access/audit.md). AuditEvent.ndjson is plain FHIR NDJSON.
 */
import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import type { Database } from '../../../db/index.ts';
import { readContents, readEntries, sealsAfter } from '../chain/read.ts';
import { rowsIn, type Seal } from '../chain/seal.ts';

/** Names of the files of an export. */
export const exportFiles = { seals: 'seals.ndjson', journal: 'journal.ndjson', events: 'AuditEvent.ndjson' } as const;

export interface WrittenExport {
  folder: string;
  /** Numbers of the first and last seal in it. */
  first: number;
  last: number;
  events: number;
}

/**
 * Writes everything sealed after `after` into a new folder below `folder`; complete when it has its final name, `<first>-<last>`.
 * @returns undefined when nothing was sealed since.
 * @throws Error naming what a seal covers and the database lacks: verify the chain first.
 */
export async function writeExport(
  database: Database,
  tenant: string,
  after: number,
  folder: string,
): Promise<WrittenExport | undefined> {
  const partial = join(folder, `.${after + 1}.partial`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const files = Object.values(exportFiles).map((name) =>
    createWriteStream(join(partial, name), { mode: 0o600, flush: true }),
  );
  const [seals, journal, events] = files as [WriteStream, WriteStream, WriteStream];
  let last = after;
  let count = 0;
  try {
    for await (const seal of sealsAfter(database, tenant, after)) {
      const covered = await read(database, seal);
      await line(seals, JSON.stringify(seal));
      for (const row of covered.rows) await line(journal, JSON.stringify(row));
      for (const content of covered.contents) await line(events, content);
      count += covered.contents.length;
      last = seal.number;
    }
  } finally {
    for (const file of files) file.end();
    await Promise.all(files.map((file) => finished(file)));
  }
  if (last === after) {
    await rm(partial, { recursive: true });
    return undefined;
  }
  const complete = join(folder, `${after + 1}-${last}`);
  await rename(partial, complete);
  await syncFolder(folder);
  return { folder: complete, first: after + 1, last, events: count };
}

async function read(database: Database, { tenant, number, manifest }: Seal) {
  const rows = rowsIn(manifest);
  const events = rows.flatMap((row) => row.events);
  const entries = await readEntries(
    database,
    tenant,
    rows.map(({ id }) => id),
  );
  const contents = await readContents(
    database,
    tenant,
    events.map(({ id }) => id),
  );
  const missing = rows.find(({ id }) => !entries.has(id))?.id ?? events.find(({ id }) => !contents.get(id))?.id;
  if (missing !== undefined) throw new Error(`seal ${number} of ${tenant} covers ${missing}, which is not there`);
  return {
    rows: rows.map(({ id }) => ({ id, entries: entries.get(id)! })),
    contents: events.map(({ id }) => contents.get(id)!),
  };
}

async function line(file: WriteStream, text: string): Promise<void> {
  if (!file.write(`${text}\n`)) await once(file, 'drain');
}

/** The new name itself must survive a crash. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
