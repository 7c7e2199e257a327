import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitmentDestination, type Dimse } from '../../../src/adapters/dimse/index.ts';
import { aeTitleSystem } from '../../../src/adapters/dimse/senders.ts';
import { createDelivery, type DeliveryRoom } from '../../../src/delivery/index.ts';
import { systemContext } from '../../../src/fhir/index.ts';
import { readShortDataset } from '../../../src/imaging/index.ts';
import { selfSigned } from '../../fhir/subscriptions/certificates.ts';
import { smallCt } from '../../support/synthetic-ct.ts';
import { type Archive, openArchive } from './archive.ts';
import { openReportPeer, type ReportPeer } from './report-peer.ts';
import { associate, command, ctClass, dataPdu, datasetOf, explicitLe, implicitLe, type Scu, u16, uid } from './scu.ts';

const commitment = '1.2.840.10008.1.20.1';
const tls = selfSigned(['localhost'], ['127.0.0.1']);
let archive: Archive;
let dimse: Dimse;
let delivery: DeliveryRoom;
let peer: ReportPeer;

beforeAll(async () => {
  archive = await openArchive();
  const { database, store, imaging, access, clock } = archive;
  delivery = createDelivery({ database, store, clock, sweepEveryMs: 0 });
  const reports = commitmentDestination({
    ...{ database, store, imaging, access, clock, aeTitle: 'PASSERELLE' },
    tls: () => ({ ca: tls.cert }),
  });
  delivery.registerDestination(reports);
  delivery.onOutcome(reports.forget);
  await delivery.start((tenant, interaction) => systemContext(tenant, interaction, clock));
  dimse = await archive.listen({ delivery });
  peer = await openReportPeer();
  await route('TEST_PACS', 'ch-a', `dicom://127.0.0.1:${peer.port}`);
});
afterAll(async () => {
  await delivery.stop();
  await peer.close();
  await archive.close();
});

async function route(title: string, organization: string, address: string, id = title.toLowerCase().replace('_', '-')) {
  await archive.store.transaction(systemContext('aa', 'system:test', archive.clock), (tx) =>
    tx.update({
      ...{ resourceType: 'Endpoint', id, status: 'active', address },
      connectionType: { system: 'https://fhir.passerelle.example/CodeSystem/connection', code: 'dicom-dimse' },
      identifier: [{ system: aeTitleSystem, value: title }],
      managingOrganization: { reference: `Organization/${organization}` },
      payloadType: [{ text: 'DICOM' }],
    }),
  );
}

function asking(calling = 'TEST_PACS', syntax = explicitLe): Promise<Scu> {
  return associate({
    ...{ port: dimse.port, calling },
    contexts: [
      { abstractSyntax: ctClass, transferSyntaxes: [explicitLe] },
      { abstractSyntax: commitment, transferSyntaxes: [syntax] },
    ],
  });
}

/** A request as an implicit or explicit data set. */
function requestDataset(transaction: string, named: readonly (readonly [string, string])[], isExplicit = true): Buffer {
  const element = (number: number, vr: string, value: Buffer) => {
    const head = Buffer.from([0x08, 0x00, number & 0xff, number >> 8]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    if (!isExplicit) return Buffer.concat([head, length, value]);
    if (vr === 'SQ') return Buffer.concat([head, Buffer.from('SQ\0\0'), length, value]);
    return Buffer.concat([head, Buffer.from(vr), length.subarray(0, 2), value]);
  };
  const items = named.map(([sopClass, instance]) => {
    const body = Buffer.concat([element(0x1150, 'UI', uid(sopClass)), element(0x1155, 'UI', uid(instance))]);
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  });
  return Buffer.concat([element(0x1195, 'UI', uid(transaction)), element(0x1199, 'SQ', Buffer.concat(items))]);
}

function ask(scu: Scu, dataset: Buffer, also: { action?: number; instance?: string } = {}) {
  scu.command(
    3,
    command([
      [0x0003, uid(commitment)],
      [0x0100, u16(0x0130)],
      [0x0110, u16(9)],
      [0x0800, u16(1)],
      [0x1001, uid(also.instance ?? '1.2.840.10008.1.20.1.1')],
      [0x1008, u16(also.action ?? 1)],
    ]),
  );
  scu.send(dataPdu(3, 2, dataset));
  return scu.reply();
}

const named = (file: Buffer) => [datasetOf(file).sopClass, datasetOf(file).sopInstance] as const;
const missing = [ctClass, '2.25.404'] as const;

/** What the peer was told last: event type, transaction, committed, failed with reasons. */
async function lastTold() {
  const last = peer.told.at(-1);
  if (!last) throw new Error('nothing was told');
  const at = last.command.indexOf(Buffer.from([0x00, 0x00, 0x02, 0x10, 0x02, 0, 0, 0]));
  const dataset = await readShortDataset(last.dataset, implicitLe);
  const items = (tag: string) => (dataset[tag]?.Value ?? []) as Record<string, { Value: unknown[] }>[];
  return {
    ...{ calledAe: last.calledAe, callingAe: last.callingAe, request: last.request },
    event: last.command.readUInt16LE(at + 8),
    transaction: dataset['00081195']?.Value?.[0],
    committed: items('00081199').map((item) => item['00081155']?.Value[0]),
    failed: items('00081198').map((item) => [item['00081155']?.Value[0], item['00081197']?.Value[0]]),
  };
}

describe('storage commitment', () => {
  it('is reported over an association of ours: what is held, and what is not with its reason', async () => {
    const files = smallCt({ studyUid: '2.25.7401', slices: 12 });
    const scu = await asking();
    for (const file of files) await scu.store(file);
    const wrongClass = ['1.2.840.10008.5.1.4.1.1.4', named(files[0] ?? Buffer.alloc(0))[1]] as const;
    expect(await ask(scu, requestDataset('2.25.1', files.map(named)))).toMatchObject({ field: 0x8130, status: 0 });
    await delivery.sweep();
    expect(await lastTold()).toMatchObject({
      ...{ calledAe: 'TEST_PACS', callingAe: 'PASSERELLE', event: 1, transaction: '2.25.1' },
      committed: files.map((file) => named(file)[1]),
      failed: [],
    });
    // Role selection: the class's provider calls.
    const role = Buffer.concat([Buffer.from([0, commitment.length]), Buffer.from(commitment), Buffer.from([0, 1])]);
    expect((await lastTold()).request.includes(role)).toBe(true);

    expect(
      (await ask(scu, requestDataset('2.25.2', [...files.slice(1, 2).map(named), missing, wrongClass]))).status,
    ).toBe(0);
    await delivery.sweep();
    expect(await lastTold()).toMatchObject({
      ...{ event: 2, transaction: '2.25.2', committed: [named(files[1] ?? Buffer.alloc(0))[1]] },
      failed: [
        ['2.25.404', 0x0112],
        [wrongClass[1], 0x0119],
      ],
    });
    await scu.release();
  });

  it('is asked in implicit little endian too, and leaves the trail what was told to whom', async () => {
    const scu = await asking('TEST_PACS', implicitLe);
    expect((await ask(scu, requestDataset('2.25.3', [missing], false))).status).toBe(0);
    await scu.release();
    await delivery.sweep();
    expect((await lastTold()).failed).toEqual([['2.25.404', 0x0112]]);
    const [told] = (await archive.events('aa', 'dimse:n-event-report')).slice(-1);
    expect(JSON.stringify(told)).toContain('2.25.3');
    expect(told).toMatchObject({ type: { code: '110106' } });
  });

  it('never says "held" of what lost its file, or is of another establishment', async () => {
    await route('OTHER_PACS', 'ch-b', `dicom://127.0.0.1:${peer.port}`);
    const [file = Buffer.alloc(0)] = smallCt({ studyUid: '2.25.7402', slices: 1 });
    const own = await asking();
    await own.store(file);
    const other = await asking('OTHER_PACS');
    expect((await ask(other, requestDataset('2.25.4', [named(file)]))).status).toBe(0);
    await delivery.sweep();
    expect((await lastTold()).failed).toEqual([[named(file)[1], 0x0112]]);

    const { rows } = await archive.database.query<{ blob: string }>(
      'aa',
      'SELECT blob FROM dicom_instance WHERE tenant = $1 AND study_uid = $2',
      ['aa', '2.25.7402'],
    );
    const blob = rows[0]?.blob ?? '';
    await rm(join(archive.folder, 'aa', blob.slice(0, 2), blob));
    await ask(own, requestDataset('2.25.5', [named(file)]));
    await delivery.sweep();
    expect((await lastTold()).failed).toEqual([[named(file)[1], 0x0110]]);
    await Promise.all([own.release(), other.release()]);
  });

  it('is told again until the PACS took it, and then forgotten here', async () => {
    const waiting = async () =>
      (await archive.database.query('aa', "SELECT FROM storage_commitment WHERE tenant = 'aa'")).rows.length;
    const scu = await asking();
    const before = peer.told.length;
    for (const answer of ['reject', 'vanish', 0x0110] as const) {
      peer.answer.next = answer;
      if (answer === 'reject') expect((await ask(scu, requestDataset('2.25.6', [missing]))).status).toBe(0);
      archive.clock.time += 3_600_000;
      await delivery.sweep();
      expect(await waiting()).toBe(1);
    }
    peer.answer.next = 0;
    archive.clock.time += 3_600_000;
    await delivery.sweep();
    expect(await waiting()).toBe(0);
    expect(peer.told.length - before).toBe(3);
    expect((await lastTold()).transaction).toBe('2.25.6');
    await scu.release();
  });

  it('goes over TLS where the address says so, to a certificate that is trusted', async () => {
    const secure = await openReportPeer({ cert: tls.cert, key: tls.key });
    await archive.register('aa', 'pacs-t', 'TLS_PACS', 'ch-a');
    await route('TLS_PACS', 'ch-a', `dicoms://localhost:${secure.port}`);
    const scu = await asking('TLS_PACS');
    expect((await ask(scu, requestDataset('2.25.7', [missing]))).status).toBe(0);
    await scu.release();
    await delivery.sweep();
    expect(secure.told).toHaveLength(1);
    await secure.close();
  });

  it('is not offered to whom nobody could be told of it', async () => {
    await archive.register('aa', 'pacs-m', 'MUTE_PACS', 'ch-a');
    const answer = async (calling: string) => (await asking(calling)).contexts.get(3)?.result;
    expect(await answer('MUTE_PACS')).toBe(3);
    await route('MUTE_PACS', 'ch-b', 'dicom://127.0.0.1:104');
    expect(await answer('MUTE_PACS')).toBe(3);
    await route('MUTE_PACS', 'ch-a', 'http://127.0.0.1:104');
    expect(await answer('MUTE_PACS')).toBe(3);
    await route('MUTE_PACS', 'ch-a', 'dicom://127.0.0.1:104');
    expect(await answer('MUTE_PACS')).toBe(0);
  });

  it.each([
    ['another action', requestDataset('2.25.8', [missing]), { action: 2 }, 0x0123],
    ['another instance', requestDataset('2.25.8', [missing]), { instance: '1.2.3' }, 0x0112],
    ['no transaction', requestDataset('', [missing]), {}, 0x0115],
    ['nothing', requestDataset('2.25.8', []), {}, 0x0115],
    ['a name that is no UID', requestDataset('2.25.8', [[ctClass, 'x']]), {}, 0x0115],
    ['no data set', Buffer.from('nonsense, and not DICOM'), {}, 0x0115],
  ])('asked for %s is refused, and the association goes on', async (_, dataset, also, status) => {
    const scu = await asking();
    expect((await ask(scu, dataset, also)).status).toBe(status);
    expect((await ask(scu, requestDataset('2.25.9', [missing]))).status).toBe(0);
    await scu.release();
    await delivery.sweep();
  });

  it('refuses a list without end instead of holding it', async () => {
    const scu = await asking();
    const piece = Buffer.alloc(100_000);
    scu.command(
      3,
      command([
        [0x0003, uid(commitment)],
        [0x0100, u16(0x0130)],
        [0x0110, u16(9)],
        [0x0800, u16(1)],
        [0x1001, uid('1.2.840.10008.1.20.1.1')],
        [0x1008, u16(1)],
      ]),
    );
    for (let n = 0; n < 45; n++) scu.send(dataPdu(3, n === 44 ? 2 : 0, piece));
    expect((await scu.reply()).status).toBe(0x0213);
    await scu.release();
  });
});
