/** A line to the database that breaks behind COMMIT, while PostgreSQL is still at it: files that the index names must stay. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, OutcomeUnknown, openDatabase } from '../../src/db/index.ts';
import { createFhirStore } from '../../src/fhir/index.ts';
import { createImaging, type ImagingRoom } from '../../src/imaging/index.ts';
import { testDatabase } from '../support/database.ts';
import { type DatabaseLine, openDatabaseLine } from '../support/database-line.ts';
import { smallCt } from '../support/synthetic-ct.ts';
import { testVault } from '../vault/ring.ts';
import { blobFiles, contentOf, storeFiles, testBaseUrl } from './room.ts';

let direct: Database;
let line: DatabaseLine;
let database: Database;
let imaging: ImagingRoom;
let folder: string;
beforeAll(async () => {
  direct = await testDatabase();
  line = await openDatabaseLine(direct.url);
  database = openDatabase(line.url, direct.adminUrl);
  folder = await mkdtemp(join(tmpdir(), 'passerelle-in-doubt-'));
  const store = await createFhirStore({ database });
  const clock = { now: () => new Date('2026-01-15T03:00:00Z') };
  imaging = await createImaging({ database, store, folder, vault: testVault(), clock, baseUrl: () => testBaseUrl });
  // Makes the tenant's Endpoint: the next request commits once.
  await storeFiles(imaging, smallCt({ studyUid: '2.25.6000', slices: 1 }));
});
afterAll(async () => {
  await database.close();
  await line.close();
  await direct.close();
  await rm(folder, { recursive: true, force: true });
});

it('a commit that is done after its line broke keeps its files, and the sender who comes again is told the truth', async () => {
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.6001', slices: 1 });
  line.onSent = async (piece, connection) => {
    if (!piece.includes('COMMIT')) return;
    line.onSent = undefined;
    connection.cut();
    // PostgreSQL hears of it later than we of the loss: a slow disk, a standby that is waited for.
    await new Promise((resolve) => setTimeout(resolve, 500));
  };
  await expect(storeFiles(imaging, [file])).rejects.toBeInstanceOf(OutcomeUnknown);

  const [again] = await storeFiles(imaging, [file]);
  expect(again).toMatchObject({ status: 'duplicate' });
  const { studyUid = '', seriesUid = '', sopUid = '' } = again as Record<string, string>;
  const instance = await imaging.findInstance('aa', { studyUid, seriesUid, sopUid });
  const handle = await imaging.open('aa', instance!);
  expect((await contentOf(handle)).equals(file)).toBe(true);
  await handle.close();
});

it('a commit that never arrived leaves no file, and the sender who comes again is stored', async () => {
  const before = (await blobFiles(folder)).length;
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.6002', slices: 1 });
  line.onSent = (piece, connection) => {
    if (!piece.includes('dicom_instance')) return;
    line.onSent = undefined;
    connection.cut();
  };
  await expect(storeFiles(imaging, [file])).rejects.toMatchObject({ name: 'DatabaseAway' });
  expect(await blobFiles(folder)).toHaveLength(before);
  expect(await storeFiles(imaging, [file])).toMatchObject([{ status: 'stored' }]);
});
