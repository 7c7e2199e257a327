import { mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { keys } from '../../src/cli/keys.ts';
import { dataFolder, loadConfig } from '../../src/config/index.ts';
import type { Database } from '../../src/db/index.ts';
import { createFhirStore } from '../../src/fhir/index.ts';
import { createImaging, type ImagingRoom } from '../../src/imaging/index.ts';
import { fileKeyId, openConfiguredVault, type Vault } from '../../src/vault/index.ts';
import { contentOf, storeFiles } from '../imaging/room.ts';
import { testDatabase } from '../support/database.ts';
import { smallCt } from '../support/synthetic-ct.ts';

let folder: string;
let database: Database;
let imaging: ImagingRoom;
let vault: Vault;
let env: Record<string, string>;
const image = smallCt({ studyUid: '2.25.9001', slices: 1 })[0]!;

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
  database = await testDatabase();
  env = { DATA_DIR: folder, DATABASE_URL: database.adminUrl };
  const config = loadConfig(env);
  vault = openConfiguredVault(config);
  const store = await createFhirStore({ database, checkReferences: false });
  imaging = await createImaging({
    ...{ database, store, vault, folder: dataFolder(config, 'blobs') },
    clock: { now: () => new Date('2026-01-15T03:00:00Z') },
    baseUrl: () => 'https://a.example',
  });
  await storeFiles(imaging, [image]);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await database.close();
  await rm(folder, { recursive: true });
});

async function instance() {
  for await (const found of imaging.listInstances('aa', { studyUid: '2.25.9001' })) return found;
  throw new Error('not stored');
}

const ring = () => join(folder, 'keys', 'data-keys');
const keyOfImage = async () => {
  const { blob } = await instance();
  return fileKeyId(join(folder, 'blobs', 'aa', blob.slice(0, 2), blob));
};

describe('the command keys', () => {
  it('rotates, wraps images again, and retires the old key only when nothing needs it', async () => {
    const [old] = vault.ring.ids();
    expect(await keys(['rotate'], env)).toBe(0);
    const [fresh] = openConfiguredVault(loadConfig(env)).ring.ids();
    expect(fresh).not.toBe(old);
    expect(await keyOfImage()).toBe(old);
    expect(await keys(['rewrap'], env)).toBe(0);
    expect(await keyOfImage()).toBe(fresh);

    await expect(keys(['retire', old!], env)).rejects.toThrow('deux heures');
    const earlier = new Date(Date.now() - 3 * 3_600_000);
    await utimes(ring(), earlier, earlier);
    // A secret of another room that nobody sealed again.
    await database.query(
      'aa',
      `INSERT INTO malware_quarantine (tenant, id, at, signature, sha256, size, interaction, place, account, request_id, sealed)
       VALUES ('aa', gen_random_uuid(), now(), '', '', 1, '', '', '', '', $1)`,
      [`v1.${old}.${'A'.repeat(60)}`],
    );
    await expect(keys(['retire', old!], env)).rejects.toThrow('malware_quarantine.sealed');
    expect(await readFile(ring(), 'utf8')).toContain(old);
    await database.query('aa', "DELETE FROM malware_quarantine WHERE tenant = 'aa'");
    expect(await keys(['retire', old!], env)).toBe(0);
    expect(await readFile(ring(), 'utf8')).not.toContain(old);
    const file = await imaging.open('aa', await instance());
    expect((await contentOf(file)).equals(image)).toBe(true);
    await file.close();
  });

  it('does not retire a key that an image it cannot find still needs', async () => {
    const [current] = openConfiguredVault(loadConfig(env)).ring.ids();
    await keys(['rotate'], env);
    const earlier = new Date(Date.now() - 3 * 3_600_000);
    await utimes(ring(), earlier, earlier);
    const { blob } = await instance();
    await rm(join(folder, 'blobs', 'aa', blob.slice(0, 2), blob));
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await expect(keys(['retire', current!], env)).rejects.toThrow('l’ancienne reste');
  });
});
