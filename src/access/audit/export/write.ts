/**
 * The trail as files that prove themselves: seals, rows of the journal and AuditEvents, each a line, in the order of the chain. Whoever has the
 * folder and a public key needs no database (docs/access/audit.md). AuditEvent.ndjson is plain FHIR NDJSON.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../../db/index.ts';
import { type HandedFile, inClear, type Sealing } from '../../../vault/index.ts';
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
 * @param sealing encrypts the files for who is to read them; they are proven once opened again.
 * @returns undefined when nothing was sealed since.
 * @throws Error naming what a seal covers and the database lacks: verify the chain first.
 */
export async function writeExport(
  database: Database,
  tenant: string,
  after: number,
  folder: string,
  sealing: Sealing = inClear,
): Promise<WrittenExport | undefined> {
  const partial = join(folder, `.${after + 1}.partial`);
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const create = async (name: string) => linesTo(await sealing.create(join(partial, `${name}${sealing.suffix}`)));
  const [seals, journal, events] = [
    await create(exportFiles.seals),
    await create(exportFiles.journal),
    await create(exportFiles.events),
  ];
  let last = after;
  let count = 0;
  try {
    for await (const seal of sealsAfter(database, tenant, after)) {
      const covered = await read(database, seal);
      await seals.line(JSON.stringify(seal));
      for (const row of covered.rows) await journal.line(JSON.stringify(row));
      for (const content of covered.contents) await events.line(content);
      count += covered.contents.length;
      last = seal.number;
    }
  } finally {
    await Promise.all([seals, journal, events].map((file) => file.close()));
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

/** Lines go to the disk some at a time. */
function linesTo(file: HandedFile): { line(text: string): Promise<void>; close(): Promise<void> } {
  let waiting = '';
  const flush = async () => {
    const text = waiting;
    waiting = '';
    if (text !== '') await file.write(text);
  };
  return {
    async line(text) {
      waiting += `${text}\n`;
      if (waiting.length >= flushAtCharacters) await flush();
    },
    close: () => flush().finally(() => file.close()),
  };
}

const flushAtCharacters = 64 * 1024;

/** The new name itself must survive a crash. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
