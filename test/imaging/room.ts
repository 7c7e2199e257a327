import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Database } from '../../src/db/index.ts';
import { type Context, createFhirStore, type FhirStore } from '../../src/fhir/index.ts';
import { createImaging, type ImagingRoom, type StoredInstance } from '../../src/imaging/index.ts';
import type { ReadableFile } from '../../src/vault/index.ts';
import { testDatabase } from '../support/database.ts';
import { testVault } from '../vault/ring.ts';

/** The imaging room on a real database, a real FHIR store and a real folder. */
export interface TestRoom {
  database: Database;
  store: FhirStore;
  imaging: ImagingRoom;
  folder: string;
  /** Opens another room on the same data, as a restart would. */
  reopen(): Promise<ImagingRoom>;
  close(): Promise<void>;
}

export const testBaseUrl = 'https://images.example';

export async function openTestRoom(): Promise<TestRoom> {
  const database = await testDatabase();
  const store = await createFhirStore({ database, checkReferences: false });
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-imaging-'));
  const clock = { now: () => new Date('2026-01-15T03:00:00Z') };
  const vault = testVault();
  const open = () => createImaging({ database, store, folder, vault, clock, baseUrl: () => testBaseUrl });
  return {
    database,
    store,
    imaging: await open(),
    folder,
    reopen: open,
    close: async () => {
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function testContext(tenant = 'aa'): Context {
  return {
    tenant,
    actor: { reference: 'Device/pacs', display: 'PACS', account: 'pacs', kind: 'machine', roles: ['conformance'] },
    requestId: 'test',
    interaction: 'dicomweb:stow',
    now: () => new Date('2026-01-15T03:00:00Z'),
  };
}

/** Stores files as one request does. */
export function storeFiles(imaging: ImagingRoom, files: readonly Buffer[], tenant = 'aa'): Promise<StoredInstance[]> {
  return imaging.store(testContext(tenant), parts(files));
}

export async function* parts(files: readonly Buffer[]): AsyncGenerator<Readable> {
  for (const file of files) yield Readable.from([file], { objectMode: false });
}

/** All that a stored file holds. */
export async function contentOf(file: ReadableFile): Promise<Buffer> {
  const bytes = Buffer.alloc(file.size);
  await file.read(bytes, 0, file.size, 0);
  return bytes;
}

/** Names of the files below a folder that hold images, whatever their place. */
export async function blobFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name !== 'owner.json').map(({ name }) => name);
}
