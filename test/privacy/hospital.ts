/** A hospital whose cases went all the way, with real images and signed documents, and the operator's room on it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { auditKeyFiles, createAccess, openAuditKeys } from '../../src/access/index.ts';
import type { DataRoom } from '../../src/cli/data-room.ts';
import { syntheticCt } from '../../src/cli/synthetic-ct.ts';
import { dataFolder, loadConfig } from '../../src/config/index.ts';
import { createDelivery, type DeliveryRoom } from '../../src/delivery/index.ts';
import { createFhirStore, systemContext } from '../../src/fhir/index.ts';
import { createImaging, type ImagingRoom } from '../../src/imaging/index.ts';
import { createReportRoom, openKeystore } from '../../src/report/index.ts';
import { openConfiguredVault } from '../../src/vault/index.ts';
import {
  bornOn,
  complete,
  exam,
  fresh,
  outputs,
  patient,
  type person,
  placer,
  report,
  request,
  send,
  uid,
} from '../teleradiology/support/requests.ts';
import { createWorld, type World } from '../teleradiology/support/world.ts';

export interface Hospital {
  world: World;
  room: DataRoom;
  imaging: ImagingRoom;
  folder: string;
  /** A case from the request to the acknowledged report. */
  readCase(
    who: ReturnType<typeof person>,
  ): Promise<{ task: string; studyUid: string; patient: string; number: string }>;
  close(): Promise<void>;
}

export async function openHospital(settings: Record<string, unknown>[] = []): Promise<Hospital> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-privacy-'));
  const config = loadConfig({ DATA_DIR: folder });
  const vault = openConfiguredVault(config);
  const keys = openAuditKeys(auditKeyFiles(config));
  let imaging!: ImagingRoom;
  let delivery!: DeliveryRoom;
  const world = await createWorld('2026-05-12T06:10:00Z', settings, async ({ database, store, clock }) => {
    const blobs = dataFolder(config, 'blobs');
    imaging = await createImaging({ database, store, folder: blobs, vault, clock, baseUrl: () => 'https://a.example' });
    delivery = createDelivery({ database, store, clock, sweepEveryMs: 0 });
    const keystore = await openKeystore(dataFolder(config, 'keys'), clock);
    return { imaging, delivery, report: createReportRoom(), signerFor: keystore.signerFor };
  });
  const { database, clock } = world;
  delivery.registerDestination({
    prefix: 'ris:',
    deliver: async (item) => ({ status: 'delivered', evidence: `MSA|AA|${item.id}` }),
  });
  await delivery.start((name, interaction) => systemContext(name, interaction, clock));
  const store = await createFhirStore({ database, checkReferences: false });
  const access = await createAccess({ database, store, clock, secure: false, auditKeys: keys });
  const room: DataRoom = {
    ...{ config: { ...config, clock }, database, store, access, keys, vault },
    context: (tenant, interaction) => systemContext(tenant, interaction, clock),
    print: () => undefined,
  };
  return {
    ...{ world, room, imaging, folder },
    async readCase(who) {
      const number = `DEM-${fresh()}`;
      const studyUid = uid();
      const incoming = request(who, {
        patient: patient(who),
        // Another act each time: the same one twice a day would be a duplicate.
        serviceRequest: { ...request(who).serviceRequest, identifier: [placer(number)], code: { text: number } },
      });
      const { task } = await send(world, incoming);
      await world.operate('radiologist', 'protocol', task.id, { text: 'TDM cérébral sans injection' });
      const files = syntheticCt({
        ...{
          studyUid,
          patientId: who.ipp,
          patientName: 'TEST-MOREAU^CAMILLE',
          birthDate: bornOn(who).replaceAll('-', ''),
          sex: 'F',
        },
        ...{ placerOrderNumber: number, studyDate: clock.now(), slices: 2, size: 64 },
      });
      await imaging.store(world.as('technologist', 'dicomweb:stow'), streams(files));
      await complete(world, [exam(who, number, studyUid, { retentionDays: 30 })]);
      world.clock.pass(3_000);
      await world.room.sweep();
      await world.operate('radiologist', 'claim', task.id);
      const ready = await world.task(task.id);
      const studyId = outputs(ready, 'imaging-study')[0]!.valueReference!.reference!.slice('ImagingStudy/'.length);
      const study = await world.store.read('aa', 'ImagingStudy', studyId);
      await world.operate('radiologist', 'displayed', task.id, { series: study.series?.map((each) => each.uid) ?? [] });
      await world.operate('radiologist', 'phone-exchange', task.id, { summary: 'Prévenu', with: 'Dr ALIX' });
      await world.operate('radiologist', 'sign', task.id, report);
      await delivery.sweep();
      return { task: task.id, studyUid, patient: task.for!.reference!.slice('Patient/'.length), number };
    },
    async close() {
      await delivery.stop();
      await access.close();
      await world.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function* streams(files: Iterable<Buffer>): AsyncGenerator<Readable> {
  for (const file of files) yield Readable.from([file], { objectMode: false });
}
