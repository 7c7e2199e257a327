import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { auditKeyFiles, createAccess, openAuditKeys, verifyChain } from '../../src/access/index.ts';
import { readArchive } from '../../src/cli/backup/archive-reader.ts';
import { removeOldBackups } from '../../src/cli/backup/keep.ts';
import { restoreBackup } from '../../src/cli/backup/restore.ts';
import { takeBackup } from '../../src/cli/backup/take.ts';
import { type Config, dataFolder, loadConfig } from '../../src/config/index.ts';
import { type Database, ensureDatabase, openDatabase } from '../../src/db/index.ts';
import { createFhirStore } from '../../src/fhir/index.ts';
import { createImaging } from '../../src/imaging/index.ts';
import { openConfiguredVault, type Vault } from '../../src/vault/index.ts';
import { contentOf, storeFiles, testContext } from '../imaging/room.ts';
import { testDatabase } from '../support/database.ts';
import { smallCt } from '../support/synthetic-ct.ts';

let root: string;
let config: Config;
let database: Database;
let vault: Vault;
const clock = { now: () => new Date('2026-01-15T03:00:00Z') };
const patients = ['un', 'deux', 'trois'];
const image = smallCt({ studyUid: '2.25.8001', slices: 1 })[0]!;

/** A machine: its folder, with the key ring that was kept apart from the backups. */
async function machine(name: string): Promise<Config> {
  const file = join(root, 'data-keys');
  return loadConfig({ DATA_DIR: join(root, name), ...(name === 'first' ? {} : { DATA_KEYS_FILE: file }) });
}

async function roomsOn(on: Config, db: Database) {
  const store = await createFhirStore({ database: db, checkReferences: false });
  const folder = dataFolder(on, 'blobs');
  const imaging = await createImaging({
    database: db,
    store,
    folder,
    vault,
    clock,
    baseUrl: () => 'https://a.example',
  });
  return { store, imaging };
}

/** Empty, with the schema already there: making it takes longer than all the rest; the test of the owner's role makes it. */
async function emptyDatabase(): Promise<string> {
  return ensureDatabase(inject('superuserUrl'), `r_${randomBytes(6).toString('hex')}`, 'template_passerelle');
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'backup-'));
  config = await machine('first');
  vault = openConfiguredVault(config);
  await cp(join(config.dataDir, 'keys', 'data-keys'), join(root, 'data-keys'));
  database = await testDatabase();
  const { store, imaging } = await roomsOn(config, database);
  const auditKeys = openAuditKeys(auditKeyFiles(config));
  const access = await createAccess({ database, store, clock, secure: false, auditKeys });
  for (const tenant of ['aa', 'bb']) {
    await store.transaction(testContext(tenant), async (tx) => {
      for (const id of patients) {
        await tx.create({
          resourceType: 'Patient',
          id: `${tenant}-${id}`,
          name: [{ family: `TEST-${id}`, given: ['É\t\\N\n"'] }],
        });
      }
    });
  }
  await storeFiles(imaging, [image]);
  // Looking at the trail projects and seals it.
  await store.transaction(testContext('aa'), (tx) => tx.search('AuditEvent', '_count=1'));
  await access.close();
});
afterAll(async () => {
  await database.close();
  await rm(root, { recursive: true, force: true });
});

const countsOf = async (url: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; rows: string }>(
      `SELECT t.name, (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || t.name, false, true, '')))[1]::text AS rows
       FROM (SELECT oid::regclass::text AS name FROM pg_class
             WHERE relkind IN ('r', 'p') AND relnamespace IN ('public'::regnamespace, 'fhir'::regnamespace, 'terminology'::regnamespace)) t
       ORDER BY 1`,
    );
    return rows;
  } finally {
    await client.end();
  }
};

/** Which tables row-level security holds, by which policies, and who may do what. */
const protectionOf = async (url: string) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT c.oid::regclass::text AS name, c.relrowsecurity, c.relforcerowsecurity, c.relacl::text,
         (SELECT array_agg(p.policyname || ' ' || coalesce(p.qual, '') ORDER BY p.policyname) FROM pg_policies p
          WHERE p.schemaname = n.nspname AND p.tablename = c.relname) AS policies,
         (SELECT array_agg(pg_get_indexdef(i.indexrelid) ORDER BY 1) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('public', 'fhir', 'terminology') AND NOT c.relispartition ORDER BY 1`,
    );
    return rows;
  } finally {
    await client.end();
  }
};

describe.each(['a folder', 'one file'])('a backup into %s', (kind) => {
  const name = kind === 'a folder' ? 'set' : 'all.backup';

  it('restores every row of every table, the images and the keys, and what is found by search', async () => {
    const to = join(root, name);
    const taken = await takeBackup(config, database, vault, to);
    expect(taken.blobs).toMatchObject({ count: 1, missing: [] });
    const bytes = await readFile(taken.path);
    expect(bytes.includes('TEST-')).toBe(false);

    const second = await machine(`second-${name}`);
    const url = await emptyDatabase();
    const restored = await restoreBackup(second, url, vault, taken.path);
    expect(restored).toMatchObject({ blobs: 1, missing: [] });
    expect(await countsOf(url)).toEqual(await countsOf(database.adminUrl));

    const copy = openDatabase(url, url);
    try {
      const rooms = await roomsOn(second, copy);
      for (const tenant of ['aa', 'bb']) {
        const found = await rooms.store.transaction(testContext(tenant), (tx) =>
          tx.search('Patient', 'name=test-deux'),
        );
        expect(found.map(({ id, name: names }) => [id, names?.[0]?.given])).toEqual([
          [`${tenant}-deux`, ['É\t\\N\n"']],
        ]);
      }
      for await (const instance of rooms.imaging.listInstances('aa', { studyUid: '2.25.8001' })) {
        const file = await rooms.imaging.open('aa', instance);
        expect((await contentOf(file)).equals(image)).toBe(true);
        await file.close();
      }
      const trusted = await openAuditKeys(auditKeyFiles(second)).trusted();
      const chain = await verifyChain({ database: copy, tenant: 'aa', trusted, anchors: [] });
      expect(chain.fault).toBeUndefined();
      expect(chain.seals).toBeGreaterThan(0);
      // Numbers go on where they were, and row-level security is as before.
      await rooms.store.transaction(testContext('aa'), (tx) => tx.create({ resourceType: 'Patient', id: 'after' }));
      expect(await protectionOf(url)).toEqual(await protectionOf(database.adminUrl));
      expect((await copy.query('bb', "SELECT id FROM fhir.patient WHERE id LIKE 'aa-%'")).rows).toEqual([]);
    } finally {
      await copy.close();
    }
  });
});

describe('a backup', () => {
  it('holds the state of one moment: what is written meanwhile is whole in it, or not at all', async () => {
    const { store } = await roomsOn(config, database);
    let stop = false;
    let count = 0;
    const writing = (async () => {
      while (!stop) {
        const id = `pair-${count++}`;
        await store.transaction(testContext('aa'), async (tx) => {
          await tx.create({ resourceType: 'Patient', id });
          await tx.create({ resourceType: 'Basic', id, code: { text: 'x' }, subject: { reference: `Patient/${id}` } });
        });
      }
    })();
    const { path } = await takeBackup(config, database, vault, join(root, 'moment.backup'));
    stop = true;
    await writing;
    const url = await emptyDatabase();
    await restoreBackup(await machine('moment'), url, vault, path);
    const copy = openDatabase(url, url);
    const ids = async (table: string) =>
      (await copy.query<{ id: string }>('aa', `SELECT id FROM ${table} WHERE id LIKE 'pair-%' ORDER BY id`)).rows;
    try {
      expect(await ids('fhir.patient')).toEqual(await ids('fhir.basic'));
    } finally {
      await copy.close();
    }
  });

  it('copies an image once into a set, and again when it is not what it was', async () => {
    const to = join(root, 'twice');
    expect((await takeBackup(config, database, vault, to)).blobs.copied).toBe(1);
    await rm(join(to, (await readdir(to)).find((entry) => entry.endsWith('.backup'))!));
    expect((await takeBackup(config, database, vault, to)).blobs.copied).toBe(0);
  });

  it('is refused when it was changed, cut, or signed by nobody', async () => {
    const { path } = await takeBackup(config, database, vault, join(root, 'changed.backup'));
    const keys = openAuditKeys(auditKeyFiles(config));
    const whole = await readFile(path);
    const tampered = async (bytes: Buffer) => {
      const file = join(root, 'tampered.backup');
      await writeFile(file, bytes);
      return readArchive(vault, keys, file);
    };
    for (const at of [100, 300, Math.floor(whole.length / 2), whole.length - 1]) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 1;
      if (at === 100 || at >= 256) await expect(tampered(bytes)).rejects.toThrow();
    }
    await expect(tampered(whole.subarray(0, whole.length - 100))).rejects.toThrow();
    await expect(tampered(whole)).resolves.toMatchObject({ isKnownKey: true });
  });

  it('is not restored over a database that serves somebody', async () => {
    const { path } = await takeBackup(config, database, vault, join(root, 'over.backup'));
    await expect(restoreBackup(await machine('over'), database.adminUrl, vault, path)).rejects.toThrow(
      'n’est pas vide',
    );
    expect((await database.query('aa', "SELECT id FROM fhir.patient WHERE id = 'aa-un'")).rows).toHaveLength(1);
  });

  it('is taken and restored by an owner that is no superuser', async () => {
    const { host } = new URL(database.adminUrl);
    const role = `owner_${randomBytes(4).toString('hex')}`;
    const admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x' CREATEDB CREATEROLE NOBYPASSRLS`);
    const { rows: roles } = await admin.query<{ name: string }>(
      "SELECT rolname AS name FROM pg_roles WHERE rolname LIKE 'passerelle\\_%'",
    );
    for (const { name: granted } of roles) await admin.query(`GRANT ${granted} TO ${role} WITH ADMIN OPTION`);
    const name = `o_${randomBytes(6).toString('hex')}`;
    await admin.query(`CREATE DATABASE ${name} OWNER ${role}`);
    await admin.end();
    const url = `postgresql://${role}:x@${host}/${name}`;
    const { path } = await takeBackup(config, database, vault, join(root, 'owner.backup'));
    const second = await machine('owner');
    await restoreBackup(second, url, vault, path);
    const copy = openDatabase(url, url);
    try {
      const again = await takeBackup(second, copy, vault, join(root, 'again.backup'));
      const rowsOf = (entries: typeof again.manifest.entries) =>
        entries
          .filter(({ kind }) => kind === 'table')
          .map(({ name: table, rows }) => [table, rows])
          .sort();
      const first = await readArchive(vault, openAuditKeys(auditKeyFiles(config)), path);
      expect(rowsOf(again.manifest.entries)).toEqual(rowsOf(first.manifest.entries));
    } finally {
      await copy.close();
    }
  });
});

it('old backups go, the last two stay, and images only old ones named go with them', async () => {
  const folder = join(root, 'kept');
  const { path } = await takeBackup(config, database, vault, folder);
  const now = new Date();
  for (const day of ['20200101', '20200102']) await cp(path, join(folder, `${day}T000000Z.backup`));
  await writeFile(join(folder, 'blobs', 'orphan'), 'x');
  const keys = openAuditKeys(auditKeyFiles(config));
  expect(await removeOldBackups(vault, keys, folder, 30, now)).toEqual({
    archives: ['20200101T000000Z.backup'],
    blobs: 1,
  });
  expect((await readdir(folder)).filter((entry) => entry.endsWith('.backup'))).toHaveLength(2);
  const left = await readdir(join(folder, 'blobs'), { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toHaveLength(1);
});
