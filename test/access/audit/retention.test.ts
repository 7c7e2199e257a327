import { afterAll, beforeAll, expect, test } from 'vitest';
import { savePosition } from '../../../src/access/audit/export/position.ts';
import { destroyPart } from '../../../src/access/audit/retention/destroy.ts';
import { inspectParts } from '../../../src/access/audit/retention/parts.ts';
import { saveRetention } from '../../../src/access/audit/retention/rules.ts';
import { openTrail, type TrailRig } from '../../security/audit/trail.ts';

let rig: TrailRig;
/** The tests' clock is in March 2026; the first part of a new database ends with the present month. */
const later = new Date(Date.now() + 500 * 86_400_000);
beforeAll(async () => {
  rig = await openTrail();
  for (let n = 0; n < 3; n++) {
    await rig.read();
    if (n === 1) await rig.post();
    await rig.seal();
  }
});
afterAll(() => rig.close());

const first = async (now = later) => (await inspectParts(rig.database, now))[0]!;

test('a month stays while it runs, while it must be kept, while it is not sealed and while it is not exported', async () => {
  expect(await inspectParts(rig.database, new Date())).toEqual([]);
  expect(await first()).toMatchObject({
    tenants: ['aa'],
    obstacles: [
      'aa : la fin de son contrat n’est pas connue (audit-retention set)',
      'aa : pas exporté jusqu’au sceau 3',
    ],
  });
  await saveRetention(rig.database, 'aa', { contractEnd: later, keepDays: 365 });
  expect((await first()).obstacles[0]).toMatch(/^aa : à garder jusqu’au \d{4}-\d\d-\d\d$/);
  await saveRetention(rig.database, 'aa', { contractEnd: new Date('2026-03-31'), keepDays: 365 });
  await savePosition(rig.database, 'aa', 'ndjson', { number: 3, at: later });
  expect((await first()).obstacles).toEqual([]);
  await rig.read();
  expect((await first()).obstacles).toEqual(['aa : tout n’est pas scellé']);
  await expect(destroy(await first())).rejects.toThrow('tout n’est pas scellé');
  await rig.seal();
  await savePosition(rig.database, 'aa', 'ndjson', { number: 4, at: later });
});

const destroy = (state: Awaited<ReturnType<typeof first>>) =>
  destroyPart({ database: rig.database, keys: rig.keys, now: later, by: 'root' }, state);

test('a destroyed month leaves a signed certificate; the chain is whole with it and broken without', async () => {
  const events = async () => (await rig.superuser.query('SELECT 1 FROM fhir.auditevent')).rowCount;
  const values = async () =>
    (
      await rig.superuser.query(
        "SELECT 1 FROM fhir.string_key WHERE tenant = 'aa' AND id NOT IN (SELECT id FROM fhir.auditevent)",
      )
    ).rowCount;
  expect(await events()).toBe(6);
  const certificates = await destroy(await first());
  expect(certificates).toEqual([
    {
      ...{ tenant: 'aa', month: '2026-03', rows: 5, events: 6, firstSeal: 1, lastSeal: 4 },
      ...{ digest: expect.any(String), contractEnd: '2026-03-31', by: 'root', at: later.toISOString() },
    },
  ]);
  expect(await events()).toBe(0);
  expect(await values()).toBe(0);
  await rig.read();
  await rig.seal();
  expect(await rig.verify()).toMatchObject({ seals: 5, rows: 1, purged: 5, head: { number: 5 } });
  expect((await rig.verify()).fault).toBeUndefined();

  await rig.superuser.query("UPDATE audit_purge SET certificate = replace(certificate, 'root', 'eve')");
  expect((await rig.verify()).fault?.kind).toBe('certificate-wrong');
  await rig.superuser.query('DELETE FROM audit_purge');
  expect((await rig.verify()).fault).toMatchObject({ kind: 'row-removed', seal: 1 });
});

test('nothing is destroyed of a chain that does not hold', async () => {
  const other = await openTrail();
  await other.read();
  await other.seal();
  await saveRetention(other.database, 'aa', { contractEnd: new Date('2026-03-31'), keepDays: 365 });
  await savePosition(other.database, 'aa', 'ndjson', { number: 1, at: later });
  await other.superuser.query("UPDATE fhir.journal SET entries = '[]'");
  const [state] = await inspectParts(other.database, later);
  await expect(
    destroyPart({ database: other.database, keys: other.keys, now: later, by: 'root' }, state!),
  ).rejects.toThrow('la chaîne de aa ne tient pas (row-altered) : rien n’est détruit');
  await other.close();
});
