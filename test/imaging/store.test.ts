import { spawnSync } from 'node:child_process';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { ImagingStudy } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileMeta } from '../../src/imaging/dicom/part10.ts';
import type { StudyEvent } from '../../src/imaging/index.ts';
import { smallCt } from '../support/synthetic-ct.ts';
import {
  blobFiles,
  contentOf,
  openTestRoom,
  parts,
  storeFiles,
  type TestRoom,
  testBaseUrl,
  testContext,
} from './room.ts';

let room: TestRoom;
const events: StudyEvent[] = [];
let failNext = false;

beforeAll(async () => {
  room = await openTestRoom();
  room.imaging.onStudy(async (event) => {
    events.push(event);
    if (failNext) throw new Error('the hook refuses');
  });
});
afterAll(() => room.close());

const studyOf = async (uid: string) => {
  const [study] = await room.store.search('aa', 'ImagingStudy', `identifier=urn:dicom:uid|urn:oid:${uid}`);
  return study;
};

describe('storing instances', () => {
  it('tells the domain who the images say the patient is, once per study and request', async () => {
    events.length = 0;
    await storeFiles(room.imaging, [
      ...smallCt({ studyUid: '2.25.5001', issuerOfPatientId: 'CH-EXEMPLE' }),
      ...smallCt({ studyUid: '2.25.5002' }),
    ]);
    expect(events).toMatchObject([
      {
        identity: {
          studyInstanceUid: '2.25.5001',
          patientId: 'IPP-1001',
          issuerOfPatientId: 'CH-EXEMPLE',
          patientName: 'TEST-MOREAU^CAMILLE',
          birthDate: '1985-04-17',
          sex: 'F',
          accessionNumber: 'ACC-1001',
          placerOrderNumber: 'PLAC-1001',
          modalities: ['CT'],
        },
        instances: 3,
        series: 1,
        first: true,
      },
      { identity: { studyInstanceUid: '2.25.5002' }, first: true },
    ]);
    expect(events[0]?.quarantine).toBeUndefined();
  });

  it('keeps ImagingStudy true, and leaves alone what others wrote into it', async () => {
    const uid = '2.25.5003';
    await storeFiles(room.imaging, smallCt({ studyUid: uid }));
    const study = await studyOf(uid);
    expect(study).toMatchObject({
      status: 'registered',
      started: '2026-01-15T03:30:00+01:00',
      modality: [{ code: 'CT' }],
      numberOfSeries: 1,
      numberOfInstances: 3,
      subject: { identifier: { value: 'IPP-1001' }, display: 'TEST-MOREAU CAMILLE' },
      endpoint: [{ reference: 'Endpoint/dicomweb' }],
    });
    expect(await room.store.read('aa', 'Endpoint', 'dicomweb')).toMatchObject({ address: `${testBaseUrl}/dicomweb` });
    if (!study) return;
    await room.store.transaction(testContext(), (tx) =>
      tx.update({
        ...study,
        status: 'available',
        subject: { reference: 'Patient/p1' },
        basedOn: [{ reference: 'ServiceRequest/r1' }],
      }),
    );
    await storeFiles(room.imaging, smallCt({ studyUid: uid, seriesNumber: 2, seriesDescription: 'OS', slices: 2 }));
    expect(await studyOf(uid)).toMatchObject({
      status: 'available',
      subject: { reference: 'Patient/p1' },
      basedOn: [{ reference: 'ServiceRequest/r1' }],
      numberOfSeries: 2,
      numberOfInstances: 5,
      series: [
        { number: 1, numberOfInstances: 3 },
        { number: 2, numberOfInstances: 2, description: 'OS' },
      ],
    });
  });

  it.each([
    ['Patient ID', { patientId: 'IPP-OTHER' }],
    ["Patient's Birth Date", { birthDate: '19550417' }],
    ["Patient's Name", { patientName: 'AUTRE^PERSONNE' }],
  ])('sets apart images under a known study whose %s is another, and says so', async (what, other) => {
    const uid = `2.25.51${what.length}`;
    await storeFiles(room.imaging, smallCt({ studyUid: uid }));
    events.length = 0;
    const outcomes = await storeFiles(room.imaging, smallCt({ studyUid: uid, seriesNumber: 2, ...other }));
    expect(outcomes).toMatchObject(
      [1, 2, 3].map(() => ({ status: 'stored', setApart: expect.stringContaining(what) })),
    );
    expect(events).toMatchObject([{ quarantine: expect.stringContaining(what), instances: 3, first: true }]);
    expect(await studyOf(uid)).toMatchObject({ numberOfInstances: 3 });
    const apart = await room.store.read('aa', 'ImagingStudy', events[0]?.imagingStudyId ?? '');
    expect(apart.identifier?.some(({ system }) => system === 'urn:dicom:uid')).toBe(false);
    // More of the same stays together, and apart.
    await storeFiles(room.imaging, smallCt({ studyUid: uid, seriesNumber: 3, slices: 1, ...other }));
    expect(events.at(-1)).toMatchObject({ imagingStudyId: apart.id, instances: 4, first: false });
    const { rows } = await room.database.query(
      'aa',
      'SELECT lot FROM dicom_study WHERE tenant = $1 AND study_uid = $2',
      ['aa', uid],
    );
    expect(rows).toHaveLength(2);
  });

  it('takes accents, case and punctuation of a name for no contradiction', async () => {
    const uid = '2.25.5200';
    await storeFiles(room.imaging, smallCt({ studyUid: uid, patientName: 'Lefèvre-Dupont^Zoé' }));
    const outcomes = await storeFiles(
      room.imaging,
      smallCt({ studyUid: uid, seriesNumber: 2, patientName: 'LEFEVRE DUPONT^ZOE^^' }),
    );
    expect(outcomes.every((outcome) => outcome.status === 'stored' && outcome.setApart === undefined)).toBe(true);
  });

  it('stores nothing when a hook refuses, and nothing when the sender breaks off', async () => {
    const uid = '2.25.5300';
    const before = (await blobFiles(room.folder)).length;
    failNext = true;
    await expect(storeFiles(room.imaging, smallCt({ studyUid: uid }))).rejects.toThrow('the hook refuses');
    failNext = false;
    async function* broken(): AsyncGenerator<Readable> {
      yield* parts(smallCt({ studyUid: uid, slices: 1 }));
      throw new Error('connection lost');
    }
    await expect(room.imaging.store(testContext(), broken())).rejects.toThrow('connection lost');
    expect(await studyOf(uid)).toBeUndefined();
    expect(await blobFiles(room.folder)).toHaveLength(before);
  });

  it('is right about one instance sent by several senders at once', async () => {
    const uid = '2.25.5400';
    const files = smallCt({ studyUid: uid, slices: 6 });
    const answers = await Promise.all([0, 1, 2, 3].map(() => storeFiles(room.imaging, files)));
    const statuses = answers.flat().map(({ status }) => status);
    expect(statuses.filter((status) => status === 'stored')).toHaveLength(6);
    expect(statuses.filter((status) => status === 'duplicate')).toHaveLength(18);
    expect(await studyOf(uid)).toMatchObject({ numberOfInstances: 6 });
  });

  it('keeps tenants apart even under the same UIDs', async () => {
    const files = smallCt({ studyUid: '2.25.5500' });
    await storeFiles(room.imaging, files);
    expect((await storeFiles(room.imaging, files, 'bb')).map(({ status }) => status)).toEqual([
      'stored',
      'stored',
      'stored',
    ]);
  });
});

describe('after a crash', () => {
  it('leaves alone what a living process of another machine is still receiving', async () => {
    const busy = join(room.folder, 'incoming', 'busy');
    await mkdir(busy);
    await writeFile(join(busy, 'owner.json'), JSON.stringify({ host: 'elsewhere', pid: 1 }));
    await writeFile(join(busy, `aa.${'1'.repeat(32)}`), 'being received');
    await room.reopen();
    expect(await readdir(busy)).toContain(`aa.${'1'.repeat(32)}`);
  });

  it('puts committed files in their place and removes the others', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.5600', slices: 1 });
    await storeFiles(room.imaging, [file]);
    const { rows } = await room.database.query<{ blob: string; series_uid: string; sop_uid: string }>(
      'aa',
      'SELECT blob, series_uid, sop_uid FROM dicom_instance WHERE tenant = $1 AND study_uid = $2',
      ['aa', '2.25.5600'],
    );
    const [row] = rows;
    if (!row) throw new Error('not stored');
    // What a process that died between the commit and the move leaves: its folder, a committed file, an unfinished one.
    const gone = spawnSync('true').pid;
    const left = join(room.folder, 'incoming', 'dead');
    await mkdir(left);
    await writeFile(join(left, 'owner.json'), JSON.stringify({ host: hostname(), pid: gone }));
    await rename(join(room.folder, 'aa', row.blob.slice(0, 2), row.blob), join(left, `aa.${row.blob}`));
    await writeFile(join(left, `aa.${'0'.repeat(32)}`), 'half');
    // Readers find it where it is even before anything is put in order.
    const found = await room.imaging.findInstance('aa', {
      studyUid: '2.25.5600',
      seriesUid: row.series_uid,
      sopUid: row.sop_uid,
    });
    if (!found) throw new Error('not found');
    const early = await room.imaging.open('aa', found);
    expect((await contentOf(early)).equals(file)).toBe(true);
    await early.close();
    const restarted = await room.reopen();
    expect(await readdir(join(room.folder, 'incoming'))).not.toContain('dead');
    const instance = await restarted.findInstance('aa', {
      studyUid: '2.25.5600',
      seriesUid: row.series_uid,
      sopUid: row.sop_uid,
    });
    if (!instance) throw new Error('not found');
    const handle = await restarted.open('aa', instance);
    expect((await contentOf(handle)).equals(file)).toBe(true);
    await handle.close();
    expect(await blobFiles(room.folder)).not.toContain('0'.repeat(32));
  });

  it('goes on receiving after another server took it for dead and removed its folder', async () => {
    await rm(join(room.folder, 'incoming'), { recursive: true, force: true });
    expect(await storeFiles(room.imaging, smallCt({ studyUid: '2.25.5991', slices: 1 }))).toMatchObject([
      { status: 'stored' },
    ]);
  });
});

describe('an ImagingStudy whose images are in the archive', () => {
  const remove = (id: string) => room.store.transaction(testContext(), (tx) => tx.delete('ImagingStudy', id));
  const custody = async (uid: string) => {
    const { rows } = await room.database.query<{ sop_uid: string; sop_class: string }>(
      'aa',
      'SELECT sop_uid, sop_class FROM dicom_instance WHERE tenant = $1 AND study_uid = $2',
      ['aa', uid],
    );
    const named = rows.map((row) => ({ sopUid: row.sop_uid, sopClassUid: row.sop_class }));
    return room.imaging.custodyOf({ tenant: 'aa' }, named);
  };

  it('is not deleted: its images would be served to nobody, and refused when they come again', async () => {
    await storeFiles(room.imaging, smallCt({ studyUid: '2.25.5901', slices: 1 }));
    const id = (await studyOf('2.25.5901'))!.id!;
    await expect(remove(id)).rejects.toMatchObject({ status: 409, message: expect.stringContaining('archive') });
    expect(await custody('2.25.5901')).toEqual(['held']);
  });

  it('is, where there are none', async () => {
    const { id } = await room.store.transaction(testContext(), (tx) =>
      tx.create<ImagingStudy>({ resourceType: 'ImagingStudy', status: 'available', subject: { display: 'TEST' } }),
    );
    await remove(id);
    await expect(room.store.read('aa', 'ImagingStudy', id)).rejects.toMatchObject({ status: 410 });
  });

  it('and was deleted before this rule, is answered for by nobody: the rest of a commitment is', async () => {
    await storeFiles(room.imaging, smallCt({ studyUid: '2.25.5902', slices: 1 }));
    const id = (await studyOf('2.25.5902'))!.id!;
    await room.database.query('aa', 'UPDATE fhir.imagingstudy SET deleted = true WHERE tenant = $1 AND id = $2', [
      'aa',
      id,
    ]);
    expect(await custody('2.25.5902')).toEqual(['unknown']);
  });
});

describe('an image that comes again with another file header', () => {
  const datasetOf = (file: Buffer) => file.subarray(144 + file.readUInt32LE(140));
  /** As an archive, or a gateway, writes it. */
  const rewritten = (file: Buffer, dataset = datasetOf(file)) => {
    const { studyUid: _, ...instance } = { studyUid: '', ...identityOf(file) };
    return Buffer.concat([fileMeta(instance), dataset]);
  };
  const identityOf = (file: Buffer) => {
    const text = file.toString('latin1');
    const uidAfter = (mark: string) => /^[\d.]+/.exec(text.slice(text.indexOf(mark) + 8))![0];
    return {
      sopClassUid: uidAfter('\x02\0\x02\0UI'),
      sopUid: uidAfter('\x02\0\x03\0UI'),
      transferSyntax: uidAfter('\x02\0\x10\0UI'),
    };
  };
  const changed = (file: Buffer) => {
    const copy = Buffer.from(file);
    copy[copy.length - 1]! ^= 1;
    return copy;
  };

  it('is the same image: who sends it again is told that it is held, and nothing changes', async () => {
    const [file] = smallCt({ studyUid: '2.25.5911', slices: 1 });
    expect(rewritten(file!).equals(file!)).toBe(false);
    await storeFiles(room.imaging, [file!]);
    const before = await studyOf('2.25.5911');
    for (const again of [rewritten(file!), datasetOf(file!)])
      expect(await storeFiles(room.imaging, [again])).toMatchObject([{ status: 'duplicate' }]);
    expect(await studyOf('2.25.5911')).toEqual(before);
    expect(await storeFiles(room.imaging, [rewritten(changed(file!))])).toMatchObject([
      { status: 'failed', failureReason: 45070 },
    ]);
  });

  it('also within one request', async () => {
    const [file] = smallCt({ studyUid: '2.25.5912', slices: 1 });
    const stored = await storeFiles(room.imaging, [file!, rewritten(file!), rewritten(changed(file!))]);
    expect(stored.map(({ status }) => status)).toEqual(['stored', 'duplicate', 'failed']);
  });

  it('is not taken for what is stored where that does not open any more', async () => {
    const [file] = smallCt({ studyUid: '2.25.5913', slices: 1 });
    await storeFiles(room.imaging, [file!]);
    const { rows } = await room.database.query<{ blob: string }>(
      'aa',
      'SELECT blob FROM dicom_instance WHERE tenant = $1 AND study_uid = $2',
      ['aa', '2.25.5913'],
    );
    const { blob } = rows[0]!;
    await rm(join(room.folder, 'aa', blob.slice(0, 2), blob));
    expect(await storeFiles(room.imaging, [rewritten(file!)])).toMatchObject([{ status: 'failed' }]);
  });
});
