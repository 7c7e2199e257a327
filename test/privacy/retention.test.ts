import { hash, verify } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataRoom } from '../../src/cli/data-room.ts';
import { dueCases, runRetention } from '../../src/cli/privacy/retention.ts';
import { verifyPdfSignature } from '../../src/report/index.ts';
import { person, stateOf } from '../teleradiology/support/requests.ts';
import { type Hospital, openHospital } from './hospital.ts';

const dayMs = 86_400_000;
let hospital: Hospital;
let cases: Record<'old' | 'recent' | 'alone', Awaited<ReturnType<Hospital['readCase']>>>;

beforeAll(async () => {
  hospital = await openHospital([{ url: 'retentionDays', valueInteger: 60 }]);
  const [anna, boris] = [person(), person()];
  const old = await hospital.readCase(anna);
  const alone = await hospital.readCase(boris);
  hospital.world.clock.pass(50 * dayMs);
  const recent = await hospital.readCase(anna);
  expect(stateOf(await hospital.world.task(old.task))).toBe('delivered');
  hospital.world.clock.pass(20 * dayMs);
  cases = { old, recent, alone };
}, 60_000);
afterAll(() => hospital.close());

/** Tables, the trail excepted, in which a text is anywhere in a row. */
async function tablesNaming(text: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: hospital.world.database.adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ('public', 'fhir', 'terminology')`,
    );
    const named: string[] = [];
    for (const { name } of rows) {
      // Certificates name the cases, as the trail does.
      if (/^(fhir\.(auditevent|journal)|audit_|purge_certificate)/.test(name)) continue;
      const { rowCount } = await client.query(`SELECT 1 FROM ${name} t WHERE t::text LIKE '%' || $1 || '%' LIMIT 1`, [
        text,
      ]);
      if (rowCount) named.push(name);
    }
    return named;
  } finally {
    await client.end();
  }
}

describe('retention', () => {
  it('says what it would destroy, and destroys nothing', async () => {
    const [due] = await dueCases(hospital.room, 'aa', hospital.world.clock.now());
    expect(due).toMatchObject({ establishment: 'ch-exemple', retentionDays: 60 });
    expect(due?.cases.toSorted()).toEqual([`Task/${cases.old.task}`, `Task/${cases.alone.task}`].toSorted());
    expect(await hospital.imaging.findStudy('aa', cases.old.studyUid)).toBeDefined();
    expect(stateOf(await hospital.world.task(cases.old.task))).toBe('delivered');
  });

  it('destroys whole cases with images, documents, history and search values, and nothing of another case', async () => {
    const record = async (task: string) =>
      (await hospital.world.store.search('aa', 'DocumentReference', `related=Task/${task}`)).length;
    const before = await record(cases.recent.task);
    expect(before).toBeGreaterThan(0);
    expect(await tablesNaming(cases.alone.patient)).toContain('fhir.patient');

    const [done] = await runRetention(hospital.room, 'aa', hospital.world.clock.now());
    expect(done?.destroyed.images).toBe(4);
    for (const gone of [cases.old, cases.alone]) {
      expect(await tablesNaming(gone.task)).toEqual([]);
      expect(await tablesNaming(gone.studyUid)).toEqual([]);
    }
    // Boris had no other case; Anna has one.
    expect(await tablesNaming(cases.alone.patient)).toEqual([]);
    expect((await hospital.world.store.read('aa', 'Patient', cases.recent.patient)).id).toBe(cases.old.patient);
    expect(stateOf(await hospital.world.task(cases.recent.task))).toBe('delivered');
    expect(await record(cases.recent.task)).toBe(before);
    const instances = [];
    for await (const instance of hospital.imaging.listInstances('aa', { studyUid: cases.recent.studyUid })) {
      const file = await hospital.imaging.open('aa', instance);
      await file.close();
      instances.push(instance.blob);
    }
    const files = await readdir(join(hospital.folder, 'blobs', 'aa'), { recursive: true, withFileTypes: true });
    expect(
      files
        .filter((file) => file.isFile())
        .map(({ name }) => name)
        .sort(),
    ).toEqual(instances.sort());
  });

  it('leaves a certificate that proves itself, and a line in the trail', async () => {
    const folder = join(hospital.folder, 'certificates');
    const names = await readdir(folder);
    expect(names).toHaveLength(2);
    const { certificate, key, signature } = JSON.parse(
      await readFile(join(folder, names.find((name) => name.endsWith('.json'))!), 'utf8'),
    );
    const publicKey = (await hospital.room.keys.trusted()).get(key)!;
    const digest = Buffer.from(hash('sha256', certificate, 'base64url'), 'base64url');
    expect(verify(null, digest, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    expect(JSON.parse(certificate)).toMatchObject({ kind: 'retention', establishment: 'ch-exemple', images: 4 });
    expect(
      verifyPdfSignature(await readFile(join(folder, names.find((name) => name.endsWith('.pdf'))!))),
    ).toMatchObject({ valid: true });
    const events = await hospital.room.store.transaction(hospital.room.context('aa', 'test'), (tx) =>
      tx.search('AuditEvent', `entity=Task/${cases.old.task}&action=D`),
    );
    expect(events).toHaveLength(1);
  });

  it('is told by the next run when one was killed after the rows were gone', async () => {
    const { room, world, folder } = hospital;
    const client = new pg.Client({ connectionString: world.database.adminUrl });
    await client.connect();
    await client.query('UPDATE purge_certificate SET told_at = NULL').finally(() => client.end());
    const certificates = join(folder, 'certificates');
    const names = (await readdir(certificates)).sort();
    await rm(certificates, { recursive: true });
    expect(await runRetention(room, 'aa', world.clock.now())).toEqual([]);
    expect((await readdir(certificates)).sort()).toEqual(names);
    const { rows } = await world.database.query('aa', 'SELECT 1 FROM purge_certificate WHERE told_at IS NULL');
    expect(rows).toEqual([]);
  });

  it('leaves a case alone that was taken up again meanwhile', async () => {
    const { room, world } = hospital;
    const again = await hospital.readCase(person());
    const later = new Date(world.clock.now().getTime() + 100 * dayMs);
    const [due] = await dueCases(room, 'aa', later);
    expect(due?.cases).toContain(`Task/${again.task}`);
    const taken: DataRoom = {
      ...room,
      store: {
        ...room.store,
        // Between the look and the destruction.
        async transaction(context, work) {
          const result = await room.store.transaction(context, work);
          if (context.interaction === 'operator:retention') {
            await world.store.transaction(room.context('aa', 'test'), async (tx) =>
              tx.update(await tx.read('Task', again.task)),
            );
          }
          return result;
        },
      },
    };
    await expect(runRetention(taken, 'aa', later)).rejects.toThrow('a changé entre-temps');
    expect(await hospital.imaging.findStudy('aa', again.studyUid)).toBeDefined();
  });

  it('is nothing the application may do', async () => {
    for (const statement of [
      'DELETE FROM fhir.patient WHERE tenant = $1',
      'DELETE FROM fhir.patient_past WHERE tenant = $1',
      'DELETE FROM purged_blob WHERE tenant = $1',
    ]) {
      await expect(hospital.world.database.query('aa', statement, ['aa'])).rejects.toMatchObject({ code: '42501' });
    }
    await expect(
      hospital.world.database.transaction('aa', async (sql) => {
        await sql.query("SELECT set_config('role', 'passerelle_purge', true)");
        await sql.query('DELETE FROM fhir.auditevent WHERE tenant = $1', ['aa']);
      }),
    ).rejects.toMatchObject({ code: '42501' });
  });

  it('keeps everything of an establishment that set no limit, and what was asked to be kept longer', async () => {
    const { world, room } = hospital;
    const again = await hospital.readCase(person());
    const [task] = await world.store.search('aa', 'Task', `_id=${again.task}`);
    await world.store.transaction(room.context('aa', 'test'), async (tx) => {
      const organization = await tx.read('Organization', 'ch-exemple');
      const settings = organization.extension!.map((extension) => ({
        ...extension,
        extension: extension.extension?.map((part) =>
          part.url === 'retentionDays' ? { ...part, valueInteger: 10 } : part,
        ),
      }));
      await tx.update({ ...organization, extension: settings });
    });
    expect(task?.input?.some(({ valueInteger }) => valueInteger === 30)).toBe(true);
    const at = (days: number) => new Date(world.clock.now().getTime() + days * dayMs);
    const due = async (days: number) => (await dueCases(room, 'aa', at(days))).flatMap((each) => each.cases);
    expect(await due(20)).not.toContain(`Task/${again.task}`);
    expect(await due(31)).toContain(`Task/${again.task}`);
  });
});
