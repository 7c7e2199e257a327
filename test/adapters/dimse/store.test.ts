import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dimse } from '../../../src/adapters/dimse/index.ts';
import type { StudyEvent } from '../../../src/imaging/index.ts';
import { element, encapsulated, testFile, u16 as word } from '../../imaging/dicom-file.ts';
import { contentOf, parts } from '../../imaging/room.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { type Archive, openArchive } from './archive.ts';
import { associate, ctClass, datasetOf, explicitLe, implicitLe, rawClass, type Scu } from './scu.ts';

let archive: Archive;
let dimse: Dimse;
const told: StudyEvent[] = [];
let hook: () => Promise<void> = async () => undefined;

beforeAll(async () => {
  archive = await openArchive();
  archive.imaging.onStudy(async (event) => {
    told.push(event);
    await hook();
  });
  dimse = await archive.listen();
});
afterAll(() => archive.close());

const storing = (abstractSyntax = ctClass, transferSyntax = explicitLe, calling = 'TEST_PACS', pieceBytes = 16_000) =>
  associate({
    ...{ port: dimse.port, calling, pieceBytes },
    contexts: [{ abstractSyntax, transferSyntaxes: [transferSyntax] }],
  });

async function withScu<T>(scu: Scu, work: (scu: Scu) => Promise<T>): Promise<T> {
  const result = await work(scu);
  await scu.release();
  return result;
}

async function stored(studyUid: string, sopUid: string) {
  for await (const instance of archive.imaging.listInstances('aa', { studyUid })) {
    if (instance.sopUid !== sopUid) continue;
    const file = await archive.imaging.open('aa', instance);
    const bytes = await contentOf(file);
    await file.close();
    const { studyUid: study, seriesUid } = instance;
    return { instance: await archive.imaging.findInstance('aa', { studyUid: study, seriesUid, sopUid }), bytes };
  }
  throw new Error('not stored');
}

describe('a study sent by C-STORE', () => {
  it('is in the archive, told to the domain and shown as the ImagingStudy of its establishment', async () => {
    const files = smallCt({ studyUid: '2.25.7001' });
    told.length = 0;
    const replies = await withScu(await storing(), async (scu) => {
      const answers = [];
      for (const file of files) answers.push(await scu.store(file));
      return answers;
    });
    expect(replies.map(({ status, field }) => [status, field])).toEqual(files.map(() => [0, 0x8001]));
    expect(replies.map(({ messageId }) => messageId)).toEqual([1, 2, 3]);
    expect(replies.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      files.map((file) => datasetOf(file).sopInstance),
    );
    expect(told.map(({ instances, first }) => [instances, first])).toEqual([
      [1, true],
      [2, false],
      [3, false],
    ]);
    expect(told[0]?.identity).toMatchObject({ patientId: 'IPP-1001', accessionNumber: 'ACC-1001', modalities: ['CT'] });
    const [study] = await archive.store.search('aa', 'ImagingStudy', 'identifier=urn:dicom:uid|urn:oid:2.25.7001');
    expect(study).toMatchObject({ numberOfInstances: 3, numberOfSeries: 1 });
    expect(JSON.stringify(study?.meta?.security)).toContain('ch-a');
  });

  it('is kept byte for byte behind a File Meta Information that names the instance and its encoding', async () => {
    const file = testFile({
      studyUid: '2.25.7002',
      elements: [
        [0x00080005, 'CS', 'ISO_IR 100'],
        [0x00081030, 'LO', Buffer.from([0x45, 0x78, 0xe9, 0x20])],
        [0x00291001, 'UN', Buffer.from([1, 2, 3, 4, 5, 6])],
        [0x00291002, 'LO', 'PRIVE'],
      ],
    });
    const { dataset } = datasetOf(file);
    expect((await withScu(await storing(rawClass), (scu) => scu.store(file))).status).toBe(0);
    const { bytes } = await stored('2.25.7002', '2.25.7002.1.1');
    const meta = bytes.subarray(0, bytes.length - dataset.length);
    expect(bytes.subarray(meta.length)).toEqual(dataset);
    expect(meta.subarray(0, 128)).toEqual(Buffer.alloc(128));
    expect(meta.toString('latin1', 128, 132)).toBe('DICM');
    // Group length, version, class, instance, transfer syntax, implementation: PS3.10 table 7.1-1.
    expect(meta.readUInt32LE(140)).toBe(meta.length - 144);
    const text = meta.toString('latin1');
    const tags: number[] = [];
    for (let at = 132; at < meta.length; ) {
      tags.push(meta.readUInt16LE(at + 2));
      const isLong = meta.toString('latin1', at + 4, at + 6) === 'OB';
      at += isLong ? 12 + meta.readUInt32LE(at + 8) : 8 + meta.readUInt16LE(at + 6);
    }
    expect(tags).toEqual([0x00, 0x01, 0x02, 0x03, 0x10, 0x12]);
    for (const value of [rawClass, '2.25.7002.1.1', explicitLe]) expect(text).toContain(value);
  });

  it.each([1, 7, 700, 100_000])('arrives the same in P-DATA of %i octets', async (pieceBytes) => {
    const studyUid = `2.25.7003.${pieceBytes}`;
    const file = testFile({
      studyUid,
      elements: [[0x00291001, 'OB', Buffer.alloc(pieceBytes === 1 ? 300 : 200_000, 9)]],
    });
    const scu = await storing(rawClass, explicitLe, 'TEST_PACS', pieceBytes);
    expect(scu.maximumLength).toBeGreaterThanOrEqual(100_006);
    expect((await withScu(scu, (open) => open.store(file))).status).toBe(0);
    const { bytes } = await stored(studyUid, `${studyUid}.1.1`);
    expect(bytes.subarray(bytes.length - datasetOf(file).dataset.length)).toEqual(datasetOf(file).dataset);
  });

  it('keeps compressed pixel data as they are sent, and their frames are found', async () => {
    const jpegLs = '1.2.840.10008.1.2.4.80';
    const fragment = Buffer.from([0xff, 0xd8, 0xff, 0xf7, 1, 2, 3, 4]);
    const file = testFile({
      ...{ studyUid: '2.25.7004', transferSyntax: jpegLs, sopClassUid: ctClass, modality: 'CT' },
      elements: [
        [0x00280002, 'US', word(1)],
        [0x00280010, 'US', word(2)],
        [0x00280011, 'US', word(2)],
        [0x00280100, 'US', word(8)],
      ],
      tail: encapsulated([], [fragment]),
    });
    expect((await withScu(await storing(ctClass, jpegLs), (scu) => scu.store(file))).status).toBe(0);
    const { instance } = await stored('2.25.7004', '2.25.7004.1.1');
    expect(instance?.transferSyntax).toBe(jpegLs);
    expect(instance?.pixels?.encapsulated).toHaveLength(1);
  });

  it('in implicit little endian is read too', async () => {
    const explicit = datasetOf(testFile({ studyUid: '2.25.7005' })).dataset;
    const implicit: Buffer[] = [];
    for (let at = 0; at < explicit.length; ) {
      const length = explicit.readUInt16LE(at + 6);
      const head = Buffer.alloc(8);
      explicit.copy(head, 0, at, at + 4);
      head.writeUInt32LE(length, 4);
      implicit.push(head, explicit.subarray(at + 8, at + 8 + length));
      at += 8 + length;
    }
    const named = { sopClass: rawClass, sopInstance: '2.25.7005.1.1' };
    const reply = await withScu(await storing(rawClass, implicitLe), (scu) =>
      scu.storeDataset(Buffer.concat(implicit), named),
    );
    expect(reply.status).toBe(0);
    const { bytes } = await stored('2.25.7005', '2.25.7005.1.1');
    expect(bytes.subarray(-Buffer.concat(implicit).length)).toEqual(Buffer.concat(implicit));
  });
});

describe('an instance sent again', () => {
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7010', slices: 1 });

  it('changes nothing and is answered as the first time, whoever of the establishment sends it', async () => {
    await archive.register('aa', 'ct-a', 'CT_A', 'ch-a');
    const version = async () =>
      (await archive.store.search('aa', 'ImagingStudy', 'identifier=urn:dicom:uid|urn:oid:2.25.7010'))[0]?.meta
        ?.versionId;
    expect((await withScu(await storing(), (scu) => scu.store(file))).status).toBe(0);
    const first = await version();
    expect((await withScu(await storing(), (scu) => scu.store(file))).status).toBe(0);
    expect((await withScu(await storing(ctClass, explicitLe, 'CT_A'), (scu) => scu.store(file))).status).toBe(0);
    expect(first).toBeDefined();
    expect(await version()).toBe(first);
  });

  it('with other bytes is not taken for it: a failure, and the first stays', async () => {
    const other = Buffer.from(file);
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
    const reply = await withScu(await storing(), (scu) => scu.store(other));
    expect(reply.status).toBe(0x0111);
    const { sopInstance, dataset } = datasetOf(file);
    const { bytes } = await stored('2.25.7010', sopInstance);
    expect(bytes.subarray(-dataset.length)).toEqual(dataset);
  });

  it('by four associations at once is stored once', async () => {
    const files = smallCt({ studyUid: '2.25.7011', slices: 4 });
    const replies = await Promise.all(
      [1, 2, 3, 4].map(async () =>
        withScu(await storing(), async (scu) => {
          const statuses = [];
          for (const each of files) statuses.push((await scu.store(each)).status);
          return statuses;
        }),
      ),
    );
    expect(replies.flat()).toEqual(Array.from({ length: 16 }, () => 0));
    const [study] = await archive.store.search('aa', 'ImagingStudy', 'identifier=urn:dicom:uid|urn:oid:2.25.7011');
    expect(study?.numberOfInstances).toBe(4);
  });
});

describe('what is not stored', () => {
  it('is another patient under a known Study Instance UID: kept apart, with a warning the sender sees', async () => {
    const [mine = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7020', slices: 1 });
    const [other = Buffer.alloc(0)] = smallCt({
      ...{ studyUid: '2.25.7020', slices: 1, seriesNumber: 2 },
      ...{ patientId: 'IPP-9', patientName: 'TEST-AUTRE^PERSONNE', birthDate: '19500101' },
    });
    const replies = await withScu(await storing(), async (scu) => [await scu.store(mine), await scu.store(other)]);
    expect(replies.map(({ status }) => status)).toEqual([0, 0xb007]);
    expect(JSON.stringify(replies)).not.toContain('AUTRE');
    expect((await archive.imaging.findStudy('aa', '2.25.7020'))?.studyUid).toBe('2.25.7020');
    const { rows } = await archive.database.query(
      'aa',
      'SELECT lot FROM dicom_study WHERE tenant = $1 AND study_uid = $2 AND quarantine IS NOT NULL',
      ['aa', '2.25.7020'],
    );
    expect(rows).toHaveLength(1);
  });

  it('is a study that another establishment sends under the same UID: apart from the first', async () => {
    const [mine = Buffer.alloc(0), theirs = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7021', slices: 2 });
    const first = await withScu(await storing(), (scu) => scu.store(mine));
    const second = await withScu(await storing(ctClass, explicitLe, 'OTHER_PACS'), (scu) => scu.store(theirs));
    expect([first.status, second.status]).toEqual([0, 0xb007]);
  });

  it.each([
    ['a class that is not the one announced', { sopClass: '1.2.840.10008.5.1.4.1.1.4' }, 0x0122],
    ['an instance that is not the one announced', { sopInstance: '2.25.4711' }, 0xa900],
    ['no SOP Instance UID', { sopInstance: 'x' }, 0x0117],
  ])('is %s', async (_, named, status) => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7022', slices: 1 });
    const replies = await withScu(await storing(), async (scu) => [
      await scu.store(file, named),
      // The association goes on.
      await scu.store(smallCt({ studyUid: '2.25.7023', slices: 1 })[0] ?? file),
    ]);
    expect(replies.map((reply) => reply.status)).toEqual([status, 0]);
    expect(await archive.imaging.findStudy('aa', '2.25.7022')).toBeUndefined();
  });

  it('is what says another class than the one announced, has no study, or is no data set', async () => {
    const raw = datasetOf(testFile({ studyUid: '2.25.7024' })).dataset;
    const named = { sopClass: ctClass, sopInstance: '2.25.7024.1.1' };
    const anonymous = Buffer.concat([
      element(0x00080016, 'UI', ctClass),
      element(0x00080018, 'UI', '2.25.7024.1.1'),
      element(0x00100010, 'PN', 'TEST^SECRET'),
    ]);
    const replies = await withScu(await storing(), async (scu) => [
      await scu.storeDataset(raw, named),
      await scu.storeDataset(anonymous, named),
      await scu.storeDataset(Buffer.from('this is not DICOM at all, whatever they say'), named),
      await scu.storeDataset(Buffer.alloc(0), named),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([0xa900, 0xa900, 0xc000, 0xc000]);
    for (const { comment } of replies) expect(comment).toMatch(/^[ -~]{10,64}$/);
    expect(JSON.stringify(replies)).not.toContain('SECRET');
  });

  it('is what could not be committed: out of resources, nothing stays, and the next goes well', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7025', slices: 1 });
    hook = async () => {
      throw new Error('the database is away');
    };
    const scu = await storing();
    expect((await scu.store(file)).status).toBe(0xa700);
    expect(await archive.imaging.findStudy('aa', '2.25.7025')).toBeUndefined();
    hook = async () => undefined;
    expect((await scu.store(file)).status).toBe(0);
    await scu.release();
  });

  it('is nothing that only another transaction got in the way of: it is tried again before the sender hears of it', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7027', slices: 1 });
    let deadlocks = 2;
    hook = async () => {
      deadlocks -= 1;
      if (deadlocks >= 0) throw Object.assign(new Error('deadlock detected'), { code: '40P01' });
    };
    expect((await withScu(await storing(), (scu) => scu.store(file))).status).toBe(0);
    hook = async () => undefined;
    expect(deadlocks).toBe(-1);
    expect((await archive.imaging.findStudy('aa', '2.25.7027'))?.studyUid).toBe('2.25.7027');
  });

  it('is an instance that is cut, or whose sender left in the middle of it', async () => {
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7026', slices: 1 });
    const { dataset, sopClass, sopInstance } = datasetOf(file);
    const scu = await storing();
    expect((await scu.storeDataset(dataset.subarray(0, 5000), { sopClass, sopInstance })).status).toBe(0xc000);
    const cut = await storing(ctClass, explicitLe, 'TEST_PACS', 1000);
    const half = dataset.subarray(0, dataset.length / 2);
    const lost = expect(cut.storeDataset(half, { sopClass, sopInstance, isWhole: false })).rejects.toThrow();
    cut.socket.destroy();
    await lost;
    expect(await archive.imaging.findStudy('aa', '2.25.7026')).toBeUndefined();
    expect((await withScu(await storing(), (open) => open.store(file))).status).toBe(0);
  });
});

it('an instance stored by C-STORE is the one STOW-RS knows: the same file again changes nothing there', async () => {
  const file = testFile({ studyUid: '2.25.7030' });
  expect((await withScu(await storing(rawClass), (scu) => scu.store(file))).status).toBe(0);
  const { bytes } = await stored('2.25.7030', '2.25.7030.1.1');
  const context = {
    tenant: 'aa',
    actor: { reference: 'Device/x', display: 'x', account: 'x', kind: 'machine', roles: ['pacs'] },
    ...{ requestId: 'r', interaction: 'dicomweb:stow', now: () => archive.clock.now() },
  } as const;
  const [again] = await archive.imaging.store(context, parts([bytes]));
  expect(again?.status).toBe('duplicate');
});

it('each association leaves an event at its beginning and, when it sent something, one at its end with its counts', async () => {
  const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7031', slices: 1 });
  const before = (await archive.events('aa', 'dimse:associate', 'dimse:release')).length;
  await withScu(await storing(), (scu) => scu.store(file));
  const events = (await archive.events('aa', 'dimse:associate', 'dimse:release')).slice(before);
  expect(events.map(({ type, outcome }) => [type.code, outcome])).toEqual(
    expect.arrayContaining([
      ['110102', '0'],
      ['110104', '0'],
    ]),
  );
  const told = JSON.stringify(events);
  for (const part of ['Device/pacs-a', 'TEST_PACS', 'released', '127.0.0.1']) expect(told).toContain(part);
  const writes = await archive.events('aa', 'dimse:c-store');
  expect(writes.at(-1)).toMatchObject({ type: { code: '110104' }, outcome: '0' });
});

it('a sender that is not registered any more is refused from then on, in the middle of its association', async () => {
  const impatient = await archive.listen({ limits: { believedMs: 0 } });
  await archive.register('aa', 'mr-a', 'MR_A', 'ch-a');
  const files = smallCt({ studyUid: '2.25.7032', slices: 2 });
  const scu = await associate({
    ...{ port: impatient.port, calling: 'MR_A' },
    contexts: [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }],
  });
  expect((await scu.store(files[0] ?? Buffer.alloc(0))).status).toBe(0);
  await archive.register('aa', 'mr-a', 'MR_A', 'ch-a', 'inactive');
  archive.clock.time += 11_000;
  expect((await scu.store(files[1] ?? Buffer.alloc(0))).status).toBe(0x0124);
  await scu.release();
});

describe('what is refused or set apart because its UID is taken', () => {
  it('is in the trail once an association and study, with the UID that was sent and nobody’s patient', async () => {
    const studyUid = '2.25.7080';
    const files = smallCt({ studyUid, slices: 2 });
    const events = async () =>
      (await archive.events('aa', 'dimse:c-store')).filter(
        (event) => event.outcome === '4' && JSON.stringify(event.entity).includes(studyUid),
      );
    await withScu(await storing(), async (scu) => {
      for (const file of files) expect((await scu.store(file)).status).toBe(0);
    });
    expect(await events()).toEqual([]);
    const changed = files.map((file) => Buffer.concat([file.subarray(0, -1), Buffer.from([file.at(-1)! ^ 1])]));
    const other = smallCt({ studyUid, slices: 1, seriesNumber: 9, patientId: 'IPP-0', patientName: 'AUTRE^PERSONNE' });
    await withScu(await storing(), async (scu) => {
      for (const file of changed) expect((await scu.store(file)).status).toBe(0x0111);
      expect((await scu.store(other[0]!)).status).toBe(0xb007);
      // Before its association has ended.
      expect((await events()).map(({ outcomeDesc }) => outcomeDesc)).toEqual(['B00E', 'B007']);
    });
    for (const event of await events()) {
      expect(event.agent.map(({ who }) => who?.reference)).toContain('Device/pacs-a');
      expect(event.entity?.some(({ what }) => what?.reference?.startsWith('Patient/'))).toBe(false);
      for (const trait of ['IPP-', 'MOREAU', 'AUTRE']) expect(JSON.stringify(event)).not.toContain(trait);
    }
  });
});
