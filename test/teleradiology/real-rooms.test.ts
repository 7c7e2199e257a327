import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { syntheticCt } from '../../src/cli/synthetic-ct.ts';
import { createDelivery, type DeliveryRoom } from '../../src/delivery/index.ts';
import { systemContext } from '../../src/fhir/index.ts';
import { createImaging, type ImagingRoom } from '../../src/imaging/index.ts';
import { createReportRoom, openKeystore, verifyPdfSignature } from '../../src/report/index.ts';
import { testVault } from '../vault/ring.ts';
import {
  bornOn,
  complete,
  exam,
  fresh,
  mitigation,
  outputs,
  patient,
  person,
  placer,
  request,
  send,
  stateOf,
  uid,
} from './support/requests.ts';
import { createWorld, tenant, type World } from './support/world.ts';

let folder: string;
let world: World;
let imaging: ImagingRoom;
let delivery: DeliveryRoom;
/** What the hospital's software answers next. */
let answers: boolean[] = [];
const sent: { id: string; kind: string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-domain-'));
  world = await createWorld('2026-05-12T06:10:00Z', [], async ({ database, store, clock }) => {
    imaging = await createImaging({
      database,
      store,
      folder: join(folder, 'blobs'),
      vault: testVault(),
      clock,
      baseUrl: () => 'https://images.example',
    });
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0 });
    const keystore = await openKeystore(join(folder, 'keys'), clock);
    return { imaging, delivery, report: createReportRoom(), signerFor: keystore.signerFor };
  });
  delivery.registerDestination({
    prefix: 'ris:',
    deliver: async (item) => {
      sent.push({ id: item.id, kind: item.kind });
      return (answers.shift() ?? true)
        ? { status: 'delivered', evidence: `MSA|AA|${item.id}` }
        : { status: 'retry', reason: 'injoignable' };
    },
  });
  await delivery.start((name, interaction) => systemContext(name, interaction, world.clock));
});
afterAll(async () => {
  await delivery.stop();
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

async function* parts(files: Iterable<Buffer>): AsyncGenerator<Readable> {
  for (const file of files) yield Readable.from([file], { objectMode: false });
}

function ct(
  who: ReturnType<typeof person>,
  studyUid: string,
  placerOrderNumber: string,
  birthDate = bornOn(who).replaceAll('-', ''),
  seriesUid = uid(),
): Buffer[] {
  return [
    ...syntheticCt({
      studyUid,
      patientId: who.ipp,
      patientName: 'TEST-MOREAU^CAMILLE',
      birthDate,
      sex: 'F',
      accessionNumber: `A${fresh()}`,
      placerOrderNumber,
      studyDate: world.clock.now(),
      seriesDescription: 'CRANE SANS IV',
      slices: 3,
      seriesUid,
    }),
  ];
}

const chapters = {
  indication: 'Céphalée brutale.',
  technique: 'Acquisition hélicoïdale sans injection de produit de contraste. CTDIvol 45 mGy, PDL 820 mGy.cm.',
  results: "Pas d'hémorragie méningée. Pas de lésion ischémique visible.",
  conclusion: 'Scanner cérébral normal.',
};

describe('with the real imaging, report and delivery rooms', () => {
  it('images on disk, a signed PDF and a CDA come out of one request, and the case waits for the acknowledgement', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task } = await send(
      world,
      request(who, {
        patient: patient(who),
        serviceRequest: { ...request(who).serviceRequest, identifier: [placer(number)] },
      }),
    );
    await world.operate('radiologist', 'protocol', task.id, { text: 'TDM cérébral sans injection' });
    const stored = await imaging.store(world.as('technologist', 'dicomweb:stow'), parts(ct(who, studyUid, number)));
    expect(stored.map((each) => each.status)).toEqual(['stored', 'stored', 'stored']);
    await complete(world, [exam(who, number, studyUid)]);
    world.clock.pass(3_000);
    await world.room.sweep();
    expect(stateOf(await world.task(task.id))).toBe('ready');
    const claimed = (await world.operate('radiologist', 'claim', task.id)) as Task;
    const studyId =
      outputs(claimed, 'imaging-study')[0]?.valueReference?.reference?.slice('ImagingStudy/'.length) ?? '';
    const study = await world.store.read(tenant, 'ImagingStudy', studyId);
    expect(study).toMatchObject({ subject: task.for, numberOfInstances: 3 });
    await world.operate('radiologist', 'displayed', task.id, { series: study.series?.map((each) => each.uid) ?? [] });
    await world.operate('radiologist', 'phone-exchange', task.id, { summary: 'Prévenu', with: 'Dr ALIX' });
    await delivery.sweep();
    const fault = await world
      .operate('radiologist', 'sign', task.id, { ...chapters, results: '' })
      .catch((error) => error);
    expect(fault).toMatchObject({ status: 422 });
    answers = [false];
    const signed = (await world.operate('radiologist', 'sign', task.id, chapters)) as Task;
    expect(stateOf(signed)).toBe('delivering');
    const documents = await world.store.search(tenant, 'DocumentReference', `related=Task/${task.id}`);
    const pdf = documents.find((each) => each.content[0]?.attachment.contentType === 'application/pdf');
    const binary = await world.store.read(
      tenant,
      'Binary',
      pdf?.content[0]?.attachment.url?.slice('Binary/'.length) ?? '',
    );
    const bytes = Buffer.from(binary.data ?? '', 'base64');
    expect(verifyPdfSignature(bytes)).toMatchObject({ valid: true });
    await delivery.sweep();
    expect(stateOf(await world.task(task.id))).toBe('delivering');
    world.clock.pass(3_600_000);
    await delivery.sweep();
    expect(stateOf(await world.task(task.id))).toBe('delivered');
    expect(sent.map((each) => each.kind)).toEqual(['request-answer', 'report-mdm', 'report-mdm']);
    expect(sent[1]?.id).toBe(sent[2]?.id);
  });

  it('images of another birth date leave every answer until identity vigilance decides', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task } = await send(world, request(who, {}, number));
    await imaging.store(world.as('technologist', 'dicomweb:stow'), parts(ct(who, studyUid, number, '19900101')));
    expect(await imaging.findStudy(tenant, studyUid)).toBeUndefined();
    const [issue] = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${task.id}`);
    await world.store.transaction(world.as('quality'), (tx) =>
      tx.update({ ...issue!, status: 'final', mitigation: mitigation('identity-confirmed') }),
    );
    expect(await imaging.findStudy(tenant, studyUid)).toBeDefined();
    expect(outputs(await world.task(task.id), 'imaging-study')).toHaveLength(1);
  });

  it('two patients under one study UID are named, and the first one keeps the images', async () => {
    const who = person();
    const number = `DEM-${fresh()}`;
    const studyUid = uid();
    const { task } = await send(world, request(who, {}, number));
    await imaging.store(world.as('technologist', 'dicomweb:stow'), parts(ct(who, studyUid, number)));
    await imaging.store(world.as('technologist', 'dicomweb:stow'), parts(ct(person(), studyUid, number, '19700101')));
    const issues = await world.store.search(tenant, 'DetectedIssue', `implicated=Task/${task.id}`);
    expect(issues.map((each) => each.code?.coding?.[0]?.code)).toEqual(['uid-collision']);
    expect((await world.task(task.id)).extension?.find((each) => each.url.endsWith('/image-count'))?.valueInteger).toBe(
      3,
    );
  });
});
