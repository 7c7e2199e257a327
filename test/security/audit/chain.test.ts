/** SE-6: a superuser of the database changes the audit trail, and the chain tells where. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Anchor, headOf, readAnchors, writeAnchors } from '../../../src/access/audit/chain/anchors.ts';
import type { Fault } from '../../../src/access/audit/chain/prove.ts';
import { sealDigest } from '../../../src/access/audit/chain/seal.ts';
import { createTrail } from '../../../src/access/audit/trail.ts';
import { createFhirStore } from '../../../src/fhir/index.ts';
import { keysIn, openTrail, type TrailRig } from './trail.ts';

let rig: TrailRig;
beforeAll(async () => {
  rig = await openTrail();
  // Six seals of three rows; a client's own event among them.
  for (let seal = 0; seal < 6; seal++) {
    for (let n = 0; n < 3; n++) await rig.read();
    if (seal === 2) await rig.post();
    await rig.seal();
  }
});
afterAll(() => rig.close());

/** What the verification says while `statements` hold; they are undone afterwards, by what they took away. */
async function tampered(...statements: readonly string[]): Promise<Fault | undefined> {
  const tables = ['audit_seal', 'fhir.journal', 'fhir.journal_pending', 'fhir.auditevent', 'fhir.auditevent_past'];
  const client = await rig.superuser.connect();
  try {
    for (const table of tables) await client.query(`CREATE TEMP TABLE ${kept(table)} AS SELECT * FROM ${table}`);
    for (const statement of statements) await client.query(statement);
    return (await rig.verify()).fault;
  } finally {
    for (const table of tables) {
      await client.query(`DELETE FROM ${table}`);
      await client.query(`INSERT INTO ${table} SELECT * FROM ${kept(table)}`);
      await client.query(`DROP TABLE ${kept(table)}`);
    }
    client.release();
  }
}
const kept = (table: string) => `kept_${table.replace('.', '_')}`;

/** Ids of what seal 3 covers: its first row, that row's event, and the event the client posted. */
async function covered(): Promise<{ row: string; event: string; posted: string }> {
  const { rows } = await rig.superuser.query<{ manifest: string }>('SELECT manifest FROM audit_seal WHERE number = 3');
  const lines = rows[0]!.manifest.split('\n').map((line) => line.split(' '));
  const idOf = (item: string | undefined) => item!.slice(0, item!.indexOf('='));
  return { row: lines[0]![0]!, event: idOf(lines[0]![2]), posted: idOf(lines.find((line) => line.length === 4)![3]) };
}

test('an untouched trail is proven whole, seals, rows and events, what clients posted among them', async () => {
  expect(await rig.verify()).toEqual({
    ...{ tenant: 'aa', seals: 6, rows: 19, events: 20, purged: 0 },
    head: { number: 6, digest: expect.any(String) },
  });
});

test('an altered row of the journal, or event, is named with its seal', async () => {
  const { row, event, posted } = await covered();
  expect(
    await tampered(`UPDATE fhir.journal SET entries = replace(entries, '192.0.2.7', '192.0.2.8') WHERE id = '${row}'`),
  ).toEqual({ kind: 'row-altered', seal: 3, row });
  for (const id of [event, posted]) {
    expect(
      await tampered(
        `UPDATE fhir.auditevent SET content = replace(content, '"outcome"', '"outcomeX"') || ' ' WHERE id = '${id}'`,
      ),
    ).toMatchObject({ kind: 'event-altered', seal: 3, event: id });
  }
});

test('a removed row or event is named, whether it is deleted or only marked so', async () => {
  const { row, event, posted } = await covered();
  expect(await tampered(`DELETE FROM fhir.journal WHERE id = '${row}'`)).toEqual({ kind: 'row-removed', seal: 3, row });
  expect(await tampered(`DELETE FROM fhir.auditevent WHERE id = '${posted}'`)).toMatchObject({
    ...{ kind: 'event-removed', seal: 3, event: posted },
  });
  expect(await tampered(`UPDATE fhir.auditevent SET deleted = true WHERE id = '${event}'`)).toMatchObject({
    ...{ kind: 'event-removed', seal: 3, row, event },
  });
});

test('a row or an event added beside the application is named', async () => {
  const id = '019cb000-0000-7000-8000-000000000000';
  expect(await tampered(`INSERT INTO fhir.journal SELECT tenant, '${id}', entries FROM fhir.journal LIMIT 1`)).toEqual({
    kind: 'row-inserted',
    row: id,
  });
  expect(
    await tampered(`INSERT INTO fhir.auditevent (tenant, id, version, updated, content)
      SELECT tenant, '${id}', version, updated, content FROM fhir.auditevent LIMIT 1`),
  ).toEqual({ kind: 'event-inserted', event: id });
});

test('what was added is named whatever instant and version it is given', async () => {
  const id = '019cb000-0000-7000-8000-000000000001';
  const copy = (table: string, columns: string) =>
    `INSERT INTO ${table} (tenant, id, version, updated, deleted, content) SELECT tenant, '${id}', ${columns}, false, content FROM fhir.auditevent LIMIT 1`;
  // Older than every clock: a bound on the time of what is looked at would pass over it.
  expect(await tampered(copy('fhir.auditevent', "version, '1912-06-23'"))).toEqual({
    kind: 'event-inserted',
    event: id,
  });
  expect(await tampered(`INSERT INTO fhir.journal SELECT tenant, '!', entries FROM fhir.journal LIMIT 1`)).toEqual({
    ...{ kind: 'row-inserted', row: '!' },
  });
  expect(await tampered(copy('fhir.auditevent_past', '1, updated'))).toEqual({ kind: 'event-inserted', event: id });
});

test('a row taken away before it was sealed is missed by what waits for it, and holds up nobody', async () => {
  await rig.read();
  const { rows } = await rig.superuser.query<{ id: string }>('SELECT id FROM fhir.journal_pending');
  const [pending] = rows;
  expect(await tampered(`DELETE FROM fhir.journal WHERE id = '${pending!.id}'`)).toEqual({
    ...{ kind: 'row-removed-unsealed', row: pending!.id },
  });
  await rig.seal();
  expect((await rig.verify()).head.number).toBe(7);
});

test('a seal that is altered, removed or put elsewhere is named', async () => {
  expect(
    await tampered(`UPDATE audit_seal SET sealed_at = sealed_at - interval '1 day' WHERE number = 4`),
  ).toMatchObject({
    ...{ kind: 'seal-altered', seal: 4 },
  });
  expect(await tampered('DELETE FROM audit_seal WHERE number = 4')).toMatchObject({ kind: 'seal-missing', seal: 4 });
  expect(await tampered('DELETE FROM audit_seal WHERE number = 1')).toMatchObject({ kind: 'seal-missing', seal: 1 });
  expect(
    await tampered(
      'UPDATE audit_seal SET number = 400 WHERE number = 4',
      'UPDATE audit_seal SET number = 4 WHERE number = 5',
      'UPDATE audit_seal SET number = 5 WHERE number = 400',
    ),
  ).toMatchObject({ kind: 'seals-reordered', seal: 4 });
});

test('a chain made anew after a change, signed with another key, or with ours unknown to it, is not believed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-forger-'));
  const forger = await keysIn(folder).current();
  const { rows } = await rig.superuser.query<{ sealed_at: Date; previous: string; manifest: string; key: string }>(
    'SELECT * FROM audit_seal WHERE number = 5',
  );
  const seal = rows[0]!;
  const forge = async (key: string) => {
    const manifest = seal.manifest.split('\n').slice(1).join('\n');
    const content = { ...seal, tenant: 'aa', number: 5, sealedAt: seal.sealed_at.toISOString(), key, manifest };
    const digest = sealDigest(content);
    return tampered(
      `UPDATE audit_seal SET manifest = '${manifest}', key = '${key}', digest = '${digest}', signature = '${forger.sign(digest)}' WHERE number = 5`,
    );
  };
  expect(await forge(forger.id)).toMatchObject({ kind: 'key-unknown', seal: 5 });
  expect(await forge(seal.key)).toMatchObject({ kind: 'signature-wrong', seal: 5 });
  await rm(folder, { recursive: true });
});

test('an end that was cut off is missed by the anchors outside the database, and so is a chain that was made anew', async () => {
  const folder = join(rig.folder, 'anchors');
  const head = (await headOf(rig.database, 'aa'))!;
  await writeAnchors(folder, [head, { ...head, tenant: 'bb' }], new Date('2026-03-01T09:00:00Z'));
  const anchors = await readAnchors(folder, 'aa');
  expect(anchors).toEqual([head]);
  expect((await rig.verify({ anchors })).fault).toBeUndefined();
  const rewritten: Anchor[] = [{ ...head, digest: 'other' }];
  expect((await rig.verify({ anchors: rewritten })).fault).toMatchObject({
    kind: 'chain-rewritten',
    seal: head.number,
  });
  // An end that was cut off, and a server that went on from there and anchored its own seal of that number.
  for (const told of [
    [...rewritten, head],
    [head, ...rewritten],
  ]) {
    expect((await rig.verify({ anchors: told })).fault).toMatchObject({ kind: 'chain-rewritten', seal: head.number });
  }
  await rig.superuser.query('CREATE TABLE audit_seal_cut AS SELECT * FROM audit_seal WHERE number > 5');
  await rig.superuser.query('DELETE FROM audit_seal WHERE number > 5');
  expect((await rig.verify({ anchors })).fault).toMatchObject({ kind: 'tail-cut', seal: 6 });
  await rig.superuser.query('INSERT INTO audit_seal SELECT * FROM audit_seal_cut');
});

test('the application can add to the chain and do nothing else', async () => {
  for (const statement of [
    "UPDATE audit_seal SET digest = ''",
    'DELETE FROM audit_seal',
    'TRUNCATE audit_seal',
    "UPDATE audit_purge SET certificate = ''",
    'DELETE FROM audit_purge',
  ]) {
    await expect(rig.database.query('aa', statement)).rejects.toThrow('permission denied');
  }
});

test('from a moment on, what was sealed before is taken for granted', async () => {
  const { rows } = await rig.superuser.query<{ sealed_at: Date }>('SELECT sealed_at FROM audit_seal WHERE number = 4');
  expect(await rig.verify({ since: rows[0]!.sealed_at })).toMatchObject({ seals: 4, rows: 10 });
});

test('servers that seal at the same time make one chain', async () => {
  const { store } = await openSecond();
  for (let n = 0; n < 120; n++) await rig.read();
  const seal = async (some: () => Promise<boolean>) => {
    while (await some());
  };
  await Promise.all([
    seal(() => rig.store.projectSome('aa')),
    seal(() => store.projectSome('aa')),
    seal(() => rig.store.projectSome('aa')),
  ]);
  const proof = await rig.verify();
  expect(proof.fault).toBeUndefined();
  expect(proof.rows).toBe(140);
});

/** Another server on the same database, with the same key. */
async function openSecond() {
  const store = await createFhirStore({ database: rig.database, checkReferences: false });
  const site = () => ({ address: 'http://second.test', networkType: '5' as const });
  createTrail({ store, clock: rig.clock, site, keys: keysIn(rig.folder) });
  return { store };
}

test('after a rotation the chain goes on, and what the old key signed is still proven', async () => {
  const { before, after } = await rig.keys.rotate();
  expect(after).not.toBe(before);
  await rig.read();
  await rig.seal();
  const { rows } = await rig.superuser.query<{ key: string }>('SELECT DISTINCT key FROM audit_seal');
  expect(rows.map(({ key }) => key).sort()).toEqual([before, after].sort());
  expect((await rig.verify()).fault).toBeUndefined();
});
