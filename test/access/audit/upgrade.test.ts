/** A filled database from before the chain, migrated by an owner who is no superuser: what was there is sealed as it is found. */
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { verifyChain } from '../../../src/access/audit/chain/verify.ts';
import { createTrail } from '../../../src/access/audit/trail.ts';
import { type Database, migrate, migrationsFolder, openDatabase } from '../../../src/db/index.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { keysIn } from '../../security/audit/trail.ts';
import { fakeClock, noa } from '../support.ts';

const name = `t_${randomBytes(6).toString('hex')}`;
let folder: string;
let superuser: pg.Client;
let database: Database;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-upgrade-'));
  superuser = new pg.Client({ connectionString: inject('superuserUrl') });
  await superuser.connect();
  await superuser.query(`CREATE ROLE ${name} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '${name}'`);
  // As the README asks for: roles made before, by somebody who may.
  const { rows } = await superuser.query<{ rolname: string }>(
    "SELECT rolname FROM pg_roles WHERE rolname ~ '^passerelle_'",
  );
  for (const { rolname } of rows) await superuser.query(`GRANT ${rolname} TO ${name} WITH ADMIN OPTION`);
  await superuser.query(`CREATE DATABASE ${name} OWNER ${name}`);
  const url = new URL(inject('superuserUrl'));
  Object.assign(url, { pathname: `/${name}`, username: name, password: name });
  const before = join(folder, 'before');
  await cp(migrationsFolder, before, { recursive: true, filter: (source) => !/\/014\d_\w+\.sql$/.test(source) });
  await migrate(url.href, before);
  database = openDatabase(url.href, url.href);
  await database.addTenant('aa', 'Hospital A');
});
afterAll(async () => {
  await database.close();
  await superuser.query(`DROP DATABASE ${name}`);
  await superuser.end();
  await rm(folder, { recursive: true });
});

test('what was recorded before is proven from then on, and the application keeps its rights and no more', async () => {
  const clock = fakeClock();
  const entry = (n: number) => {
    const id = `019ca869-57d0-74fd-bc0f-0000000000${String(n).padStart(2, '0')}`;
    const record = {
      ...{ act: 'read', outcome: 'success', data: { references: [`Basic/b${n}`], count: 1 }, patients: [] },
      ...{
        actor: noa,
        interaction: 'read',
        requestId: `r${n}`,
        site: { address: 'http://old.test', networkType: '5' },
      },
    };
    return { id, text: JSON.stringify([[id, clock.now().toISOString(), record]]) };
  };
  const old = [1, 2, 3].map(entry);
  for (const { id, text } of old) {
    await database.query('aa', "INSERT INTO fhir.journal (tenant, id, entries) VALUES ('aa', $1, $2)", [id, text]);
    // As an older program made it: not as this one would.
    await database.query(
      'aa',
      "INSERT INTO fhir.auditevent (tenant, id, version, updated, content) VALUES ('aa', $1, 1, $2, $3)",
      [id, clock.now(), JSON.stringify({ resourceType: 'AuditEvent', id, made: 'long ago' })],
    );
  }
  await migrate(database.adminUrl, migrationsFolder);

  const store = await createFhirStore({ database });
  const keys = keysIn(folder);
  const trail = createTrail({ store, clock, keys, site: () => ({ address: 'http://new.test', networkType: '5' }) });
  while (await store.projectSome('aa'));
  const verify = async () => verifyChain({ database, tenant: 'aa', trusted: await keys.trusted(), anchors: [] });
  expect(await verify()).toMatchObject({ seals: 1, rows: 3, events: 3 });
  expect((await verify()).fault).toBeUndefined();

  const owner = new pg.Client({ connectionString: database.adminUrl });
  await owner.connect();
  await owner.query("SELECT set_config('passerelle.tenant', 'aa', false)");
  await owner.query("UPDATE fhir.auditevent SET content = replace(content, 'long ago', 'today') WHERE id = $1", [
    old[1]!.id,
  ]);
  await owner.end();
  expect((await verify()).fault).toMatchObject({ kind: 'event-altered', event: old[1]!.id });
  await expect(database.query('aa', 'DELETE FROM fhir.journal')).rejects.toThrow('permission denied');
  await trail.close();
});
