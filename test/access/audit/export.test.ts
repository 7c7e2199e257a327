import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPublicKeys } from '../../../src/access/audit/chain/keys.ts';
import { readPosition, savePosition } from '../../../src/access/audit/export/position.ts';
import { verifyExport } from '../../../src/access/audit/export/verify.ts';
import { writeExport } from '../../../src/access/audit/export/write.ts';
import { openTrail, type TrailRig } from '../../security/audit/trail.ts';

let rig: TrailRig;
let folder: string;
beforeAll(async () => {
  rig = await openTrail();
  folder = join(rig.folder, 'export', 'aa');
  for (let n = 0; n < 3; n++) {
    await rig.read();
    if (n === 1) await rig.post();
    await rig.seal();
  }
});
afterAll(() => rig.close());

const trusted = () => readPublicKeys(join(rig.folder, 'audit-public'));

test('an export proves itself without a database, and the next one goes on from it', async () => {
  const first = (await writeExport(rig.database, 'aa', 0, folder))!;
  expect(first).toEqual({ folder: join(folder, '1-3'), first: 1, last: 3, events: 5 });
  await rig.read();
  await rig.seal();
  const second = (await writeExport(rig.database, 'aa', first.last, folder))!;
  expect(second).toMatchObject({ first: 4, last: 4, events: 1 });
  expect(await writeExport(rig.database, 'aa', second.last, folder)).toBeUndefined();

  const proof = await verifyExport(first.folder, await trusted());
  expect(proof).toMatchObject({ tenant: 'aa', seals: 3, rows: 4, events: 5, head: { number: 3 } });
  expect(proof.fault).toBeUndefined();
  expect((await verifyExport(second.folder, await trusted(), proof.head)).fault).toBeUndefined();
  expect((await verifyExport(second.folder, await trusted(), { number: 3, digest: 'another' })).fault).toMatchObject({
    ...{ kind: 'seal-altered', seal: 4 },
  });
});

test('AuditEvent.ndjson holds the events as they are served', async () => {
  const lines = (await readFile(join(folder, '1-3', 'AuditEvent.ndjson'), 'utf8')).trimEnd().split('\n');
  const events = await rig.store.search('aa', 'AuditEvent', '_count=100&_lastUpdated=lt2026-03-01T08:00:03Z');
  expect(lines.map((line) => JSON.parse(line)).sort(byId)).toEqual(events.sort(byId));
});
const byId = (a: { id?: string }, b: { id?: string }) => (a.id! < b.id! ? -1 : 1);

test.each([
  ['journal.ndjson', 'row-altered', (text: string) => text.replace('192.0.2.7', '192.0.2.8')],
  ['journal.ndjson', 'row-removed', (text: string) => text.slice(text.indexOf('\n') + 1)],
  ['journal.ndjson', 'row-inserted', (text: string) => `${text}${text.slice(0, text.indexOf('\n') + 1)}`],
  ['AuditEvent.ndjson', 'event-altered', (text: string) => text.replace('192.0.2.7', '192.0.2.8')],
  ['AuditEvent.ndjson', 'event-removed', (text: string) => text.slice(text.indexOf('\n') + 1)],
  [
    'seals.ndjson',
    'seal-missing',
    (text: string) => {
      const [first, , ...rest] = text.split('\n');
      return [first, ...rest].join('\n');
    },
  ],
  ['seals.ndjson', 'seal-altered', (text: string) => text.replace('"sealedAt":"2026', '"sealedAt":"2025')],
])('a change of %s is found: %s', async (file, kind, change) => {
  const { folder: copy } = (await writeExport(rig.database, 'aa', 0, join(rig.folder, 'changed')))!;
  const path = join(copy, file);
  await writeFile(path, change(await readFile(path, 'utf8')));
  const { fault } = await verifyExport(copy, await trusted());
  expect(fault?.kind).toBe(kind);
  await rm(copy, { recursive: true });
});

test('what was copied out is remembered and never goes back', async () => {
  const at = rig.clock.now();
  expect(await readPosition(rig.database, 'aa', 'ndjson')).toBe(0);
  await savePosition(rig.database, 'aa', 'ndjson', { number: 3, at });
  await savePosition(rig.database, 'aa', 'ndjson', { number: 2, at });
  expect(await readPosition(rig.database, 'aa', 'ndjson')).toBe(3);
  expect(await readPosition(rig.database, 'aa', 'syslog')).toBe(0);
});
