import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { destroyData, returnData } from '../../src/cli/privacy/contract-end.ts';
import { openFolder, verifyHandover } from '../../src/cli/privacy/handover.ts';
import { exportPatient } from '../../src/cli/privacy/patient-export.ts';
import { buildRegister, registerMarkdown } from '../../src/cli/privacy/register.ts';
import { retentionDaysOf } from '../../src/cli/privacy/retention.ts';
import { verifyPdfSignature } from '../../src/report/index.ts';
import { inClear, sealedFor } from '../../src/vault/index.ts';
import { person } from '../teleradiology/support/requests.ts';
import { type Hospital, openHospital } from './hospital.ts';

let hospital: Hospital;
let cases: Awaited<ReturnType<Hospital['readCase']>>[];
const at = (name: string) => join(hospital.folder, name);

beforeAll(async () => {
  hospital = await openHospital([{ url: 'retentionDays', valueInteger: 3650 }]);
  cases = [await hospital.readCase(person()), await hospital.readCase(person())];
  // Another tenant, which nothing here may touch.
  await hospital.room.store.transaction(hospital.room.context('bb', 'test'), (tx) =>
    tx.create({ resourceType: 'Patient', id: 'neighbour' }),
  );
}, 60_000);
afterAll(() => hospital.close());

const linesOf = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the register of processing', () => {
  it('describes every table and every type in use, with the limits establishments set', async () => {
    const register = await buildRegister(hospital.room, 'aa', retentionDaysOf);
    expect(register.undescribed).toEqual([]);
    expect(register.retention).toContainEqual({ establishment: 'ch-exemple', name: 'CH-EXEMPLE IMAGERIE', days: 3650 });
    const care = register.activities.find(({ id }) => id === 'soin');
    expect(care?.used).toMatchObject({ Patient: 2, ImagingStudy: 2 });
    expect(care?.profiles.map(({ type }) => type)).toContain('Task');
    expect(registerMarkdown(register)).toMatch(/Base légale \| RGPD article 6-1-c/);
  });
});

describe("a patient's data", () => {
  it('are exported whole, with documents, images and accesses, and nobody else’s', async () => {
    const [one, other] = cases as [(typeof cases)[0], (typeof cases)[0]];
    const patient = await hospital.world.store.read('aa', 'Patient', one.patient);
    await hospital.room.access.auditRead(hospital.room.context('aa', 'read'), {
      resources: [patient],
      outcome: 'success',
    });
    const identity = await generateIdentity();
    const sealing = await sealedFor([await identityToRecipient(identity)]);
    const exported = await exportPatient(hospital.room, 'aa', one.patient, at('sealed'), sealing);
    for (const name of await readdir(at('sealed'), { recursive: true }))
      expect(name).toMatch(/^(manifest\.json|.*\.age|[^.]*|dicom\/[\d.]+)$/);
    // Whoever carries the folder proves it without being able to read it.
    await expect(verifyHandover(at('sealed'), hospital.room.keys)).resolves.toMatchObject({ images: 2 });
    await expect(openFolder(at('sealed'), at('stranger'), await generateIdentity())).rejects.toThrow(
      'n’est pas pour cette clé',
    );
    expect(await openFolder(at('sealed'), at('patient'), identity)).toBe(exported.files.length);
    expect(exported).toMatchObject({ patient: one.patient, images: 2 });
    expect(exported.documents).toBeGreaterThanOrEqual(2);
    const names = (await readdir(at('patient'), { recursive: true })).sort();
    const pdf = names.find((name) => name.endsWith('.pdf'))!;
    expect(verifyPdfSignature(await readFile(join(at('patient'), pdf)))).toMatchObject({ valid: true });
    const dicom = names.filter((name) => name.endsWith('.dcm'));
    expect(dicom).toHaveLength(2);
    expect((await readFile(join(at('patient'), dicom[0]!))).subarray(128, 132).toString()).toBe('DICM');
    expect((await linesOf(join(at('patient'), 'acces/AuditEvent.ndjson'))).length).toBeGreaterThan(0);
    for (const name of names.filter((each) => each.endsWith('.ndjson'))) {
      const text = await readFile(join(at('patient'), name), 'utf8');
      for (const stranger of [other.patient, other.task, other.number]) expect(text).not.toContain(stranger);
    }
  });
});

describe('the end of a contract with one establishment', () => {
  it('returns and destroys what is labelled as its own, documents and images with it, and nothing of another', async () => {
    const { room, world } = hospital;
    const of = { tenant: 'aa', establishment: 'other' };
    const other = { system: 'https://fhir.passerelle.example/sid/establishment', code: 'other' };
    const context = { ...room.context('aa', 'test'), establishments: ['other'] };
    await room.store.transaction(context, async (tx) => {
      await tx.create({
        resourceType: 'Patient',
        id: 'theirs',
        meta: { security: [other] },
        name: [{ family: 'TEST-AUTRE' }],
      });
      const shared = { ...other, code: 'ch-exemple' };
      await tx.create({ resourceType: 'Patient', id: 'both', meta: { security: [other, shared] } });
      await tx.create({
        resourceType: 'Binary',
        id: 'letter',
        contentType: 'application/pdf',
        data: 'JVBERi0=',
        meta: { security: [other] },
      });
    });
    const returned = await returnData(room, of, at('return-other'), inClear);
    expect(returned).toMatchObject({ resources: { Patient: 2, Binary: 1 }, images: 0, documents: 1 });
    const { destroyed } = await destroyData(room, of, at('return-other'));
    expect(destroyed.resources).toMatchObject({ Patient: 1, Binary: 1 });
    await expect(world.store.read('aa', 'Patient', 'theirs')).rejects.toMatchObject({ status: 404 });
    expect((await world.store.read('aa', 'Patient', 'both')).id).toBe('both');
    expect((await world.store.read('aa', 'Patient', cases[0]!.patient)).id).toBe(cases[0]!.patient);
    expect(await hospital.imaging.findStudy('aa', cases[0]!.studyUid)).toBeDefined();
  });

  it('finds every resource of the establishment’s cases, labelled or older than the labels', async () => {
    const returned = await returnData(
      hospital.room,
      { tenant: 'aa', establishment: 'ch-exemple' },
      at('return-one'),
      inClear,
    );
    expect(returned).toMatchObject({ images: 4 });
    expect(returned.documents).toBe(Object.entries(returned.resources).find(([type]) => type === 'Binary')?.[1]);
    expect(returned.documents).toBeGreaterThanOrEqual(4);
    expect(returned.resources).toMatchObject({
      Task: expect.any(Number),
      DiagnosticReport: 2,
      ImagingStudy: 2,
      ServiceRequest: 2,
    });
  });
});

describe('the end of a contract', () => {
  it('returns resources, history, documents and images, with a manifest that names every change', async () => {
    const returned = await returnData(hospital.room, { tenant: 'aa' }, at('return'), inClear);
    expect(returned).toMatchObject({ images: 4 });
    expect(returned.resources.Patient).toBe(3);
    expect((await linesOf(at('return/historique/Task.ndjson'))).length).toBeGreaterThan(2);
    const file = at('return/ressources/Patient.ndjson');
    await expect(returnData(hospital.room, { tenant: 'aa' }, at('return'), inClear)).rejects.toThrow('n’est pas vide');
    const before = await readFile(file);
    await appendFile(file, 'x');
    await expect(destroyData(hospital.room, { tenant: 'aa' }, at('return'))).rejects.toThrow('manque ou a été modifié');
    await writeFile(file, before);
    await expect(verifyHandover(at('return'), hospital.room.keys)).resolves.toBeDefined();
  });

  it('destroys nothing before a return, of something else, or after anything changed', async () => {
    await expect(destroyData(hospital.room, { tenant: 'aa' }, at('nowhere'))).rejects.toThrow('ne se vérifie pas');
    await expect(destroyData(hospital.room, { tenant: 'bb' }, at('return'))).rejects.toThrow('d’autre chose');
    await expect(destroyData(hospital.room, { tenant: 'aa' }, at('sealed'))).rejects.toThrow('d’autre chose');
    await hospital.room.store.transaction(hospital.room.context('aa', 'test'), (tx) =>
      tx.create({ resourceType: 'Patient', id: 'late' }),
    );
    await expect(destroyData(hospital.room, { tenant: 'aa' }, at('return'))).rejects.toThrow('depuis la restitution');
    expect(await hospital.imaging.findStudy('aa', cases[0]!.studyUid)).toBeDefined();
  });

  it('destroys everything of the tenant but its trail, certifies it, and touches no neighbour', async () => {
    await rm(at('return'), { recursive: true });
    await returnData(hospital.room, { tenant: 'aa' }, at('return'), inClear);
    const { destroyed, files } = await destroyData(hospital.room, { tenant: 'aa' }, at('return'));
    expect(destroyed.images).toBe(4);
    const { database, room } = { database: hospital.world.database, room: hospital.room };
    for (const table of [
      'fhir.patient',
      'fhir.task_past',
      'fhir.binary',
      'dicom_instance',
      'outbox',
      'fhir.string_key',
      'due_time',
    ]) {
      expect((await database.query('aa', `SELECT 1 FROM ${table} WHERE tenant = 'aa' LIMIT 1`)).rows, table).toEqual(
        [],
      );
    }
    const blobs = await readdir(at('blobs/aa'), { recursive: true, withFileTypes: true });
    expect(blobs.filter((entry) => entry.isFile())).toEqual([]);
    expect((await room.store.transaction(room.context('bb', 'test'), (tx) => tx.read('Patient', 'neighbour'))).id).toBe(
      'neighbour',
    );
    expect((await database.query('aa', "SELECT 1 FROM fhir.journal WHERE tenant = 'aa' LIMIT 1")).rows).toHaveLength(1);
    const { rows } = await database.query<{ day: string; keep_days: number }>(
      'aa',
      "SELECT contract_end::text AS day, keep_days FROM audit_retention WHERE tenant = 'aa'",
    );
    expect(rows).toEqual([{ day: '2026-05-12', keep_days: 365 }]);
    expect(verifyPdfSignature(await readFile(files.find((file) => file.endsWith('.pdf'))!))).toMatchObject({
      valid: true,
    });
    expect(
      JSON.parse(JSON.parse(await readFile(files.find((file) => file.endsWith('.json'))!, 'utf8')).certificate),
    ).toMatchObject({ kind: 'end-of-contract', images: 4 });
  });
});
