/**
 * DICOM associations of a whole server: images find their case as those of DICOMweb do; what was answered "stored" survives a SIGKILL;
 * Orthanc, where it is installed, sends to it; an instance of a quarter of a gigabyte passes without being held.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '@medplum/fhirtypes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendMessage } from '../../src/adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../../src/cli/demo/child-server.ts';
import { withToken } from '../../src/cli/demo/people.ts';
import { type DemoCase, demoCases } from '../../src/cli/demonstration/cases.ts';
import { requestMessage } from '../../src/cli/demonstration/messages.ts';
import { acquire, newUid } from '../../src/cli/demonstration/scanner.ts';
import { openArchive } from '../adapters/dimse/archive.ts';
import { associate, ctClass, datasetOf, explicitLe, rawClass } from '../adapters/dimse/scu.ts';
import { element, testFile } from '../imaging/dicom-file.ts';
import { blobFiles } from '../imaging/room.ts';
import { smallCt } from '../support/synthetic-ct.ts';

const environment = { LOG_LEVEL: 'error', BASE_URL: '' };
const orthanc = '/usr/sbin/Orthanc';
const hasOrthanc = spawnSync(orthanc, ['--version']).status === 0;
if (!hasOrthanc) process.stderr.write('Orthanc is not installed: DICOM associations were not held against it\n');

let folder: string;
let server: ChildServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'passerelle-reception-'));
  server = await startChildServer(environment, join(folder, 'data'));
});
afterAll(async () => {
  await (server as ChildServer | undefined)?.stop({ keepData: true });
  await rm(folder, { recursive: true, force: true });
});

const contexts = [{ abstractSyntax: ctClass, transferSyntaxes: [explicitLe] }];

/** SOP Instance UIDs of a study, through DICOMweb. */
async function served(studyUid: string): Promise<Set<string>> {
  const token = (await server.token('conformance')).trim();
  const response = await fetch(`${server.httpUrl}/dicomweb/studies/${studyUid}/instances?limit=2000`, {
    headers: { authorization: `Bearer ${token}`, accept: 'application/dicom+json' },
  });
  if (response.status === 204) return new Set();
  expect(response.status).toBe(200);
  const found = (await response.json()) as Record<string, { Value: string[] }>[];
  return new Set(found.map((instance) => instance['00080018']?.Value[0] ?? ''));
}

it('a study sent by C-STORE is in the case of its request', async () => {
  const [template] = demoCases('DIMSE');
  const exam: DemoCase = { ...(template as DemoCase), placerNumber: 'DIMSE-1', accessionNumber: 'ACD-1', slices: 3 };
  const message = Buffer.from(requestMessage(exam, 'DIMSE1', new Date()));
  await sendMessage({ host: '127.0.0.1', port: server.mllpPort }, message);
  const { studyUid, instances } = acquire(exam, newUid(), new Date());
  const scu = await associate({ port: server.dimsePort, contexts, pieceBytes: 100_000 });
  for (const instance of instances) expect((await scu.store(instance)).status).toBe(0);
  await scu.release();
  expect((await served(studyUid)).size).toBe(3);
  const reader = withToken(server.httpUrl, await server.token('radiologue'));
  const tasks = await reader.search<Task>('Task', { code: 'teleradiology-case', _sort: '-_lastUpdated', _count: '20' });
  const task = tasks.find(({ groupIdentifier }) => groupIdentifier?.value === 'DIMSE-1');
  const outputs = task?.output?.flatMap(({ valueReference }) => valueReference?.reference ?? []) ?? [];
  expect(outputs.filter((reference) => reference.startsWith('ImagingStudy/'))).toHaveLength(1);
});

describe.skipIf(!hasOrthanc)('Orthanc', () => {
  it('verifies, sends a study of sixty instances, and is told that they are held', async () => {
    const [port, http] = [await freePort(), await freePort()];
    const configuration = join(folder, 'orthanc.json');
    await writeFile(
      configuration,
      JSON.stringify({
        ...{ Name: 'TEST', DicomAet: 'ORTHANC', DicomPort: port, HttpPort: http, AuthenticationEnabled: false },
        ...{ StorageDirectory: join(folder, 'orthanc'), IndexDirectory: join(folder, 'orthanc'), Plugins: [] },
        DicomModalities: {
          passerelle: { AET: 'PASSERELLE', Host: '127.0.0.1', Port: server.dimsePort, AllowStorageCommitment: true },
        },
      }),
    );
    await register('ORTHANC', port);
    const peer = spawn(orthanc, [configuration], { stdio: 'ignore' });
    try {
      const ask = (path: string, body?: Buffer | string) =>
        fetch(
          `http://127.0.0.1:${http}${path}`,
          body === undefined ? {} : { method: 'POST', body: new Uint8Array(Buffer.from(body)) },
        );
      await expect
        .poll(
          () =>
            ask('/system').then(
              ({ ok }) => ok,
              () => false,
            ),
          { timeout: 30_000, interval: 200 },
        )
        .toBe(true);
      const files = smallCt({ studyUid: '2.25.7601', slices: 60 });
      const ids: string[] = [];
      for (const file of files) ids.push(((await (await ask('/instances', file)).json()) as { ID: string }).ID);
      expect((await ask('/modalities/passerelle/echo', '{}')).status).toBe(200);
      const sent = await ask('/modalities/passerelle/store', JSON.stringify({ Resources: ids, Synchronous: true }));
      expect(await sent.json()).toMatchObject({ InstancesCount: 60, FailedInstancesCount: 0 });
      expect((await served('2.25.7601')).size).toBe(60);

      const DicomInstances = [...files.map((file) => [ctClass, datasetOf(file).sopInstance]), [ctClass, '2.25.404']];
      const asked = await ask('/modalities/passerelle/storage-commitment', JSON.stringify({ DicomInstances }));
      const { Path } = (await asked.json()) as { Path: string };
      const report = async () =>
        (await (await ask(Path)).json()) as { Status: string; Success: unknown[]; Failures: { Description: string }[] };
      await expect.poll(async () => (await report()).Status, { timeout: 30_000, interval: 200 }).toBe('Failure');
      const { Success, Failures } = await report();
      expect(Success).toHaveLength(60);
      expect(Failures).toMatchObject([
        { SOPInstanceUID: '2.25.404', Description: expect.stringContaining('not available') },
      ]);
    } finally {
      peer.kill();
      await once(peer, 'exit');
    }
  });
});

it('a SIGKILL while four associations send loses no instance that was answered, and all of them may be sent again', async () => {
  const files = smallCt({ studyUid: '2.25.7602', slices: 160, size: 32 });
  const stored = new Set<string>();
  const gone = once(server.process, 'exit');
  const waiting = [...files];
  const sendAll = async () => {
    const scu = await associate({ port: server.dimsePort, contexts });
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      expect((await scu.store(file)).status).toBe(0);
      stored.add(datasetOf(file).sopInstance);
      if (stored.size === 50) server.process.kill('SIGKILL');
    }
    await scu.release();
  };
  await Promise.allSettled([sendAll(), sendAll(), sendAll(), sendAll()]);
  await gone;
  expect(stored.size).toBeGreaterThanOrEqual(50);
  expect(stored.size).toBeLessThan(160);

  server = await startChildServer(environment, join(folder, 'data'));
  const survived = await served('2.25.7602');
  expect([...stored].filter((uid) => !survived.has(uid))).toEqual([]);
  waiting.push(...files);
  await Promise.all([sendAll(), sendAll()]);
  expect((await served('2.25.7602')).size).toBe(160);
});

it('a quarter of a gigabyte in one instance is never in memory', async () => {
  const archive = await openArchive();
  try {
    const { port } = await archive.listen();
    const pixels = 256 * 1024 * 1024;
    const head = datasetOf(
      testFile({ studyUid: '2.25.7603', elements: [[0x00280010, 'US', Buffer.from([0, 0x40])]] }),
    ).dataset;
    const scu = await associate({
      ...{ port, pieceBytes: 60_000 },
      contexts: [{ abstractSyntax: rawClass, transferSyntaxes: [explicitLe] }],
    });
    const dataset = Buffer.alloc(head.length + 12 + pixels);
    element(0x7fe00010, 'OW', Buffer.alloc(0), false, pixels).copy(dataset, head.copy(dataset));
    globalThis.gc?.();
    const before = process.memoryUsage();
    let peak = 0;
    const watch = setInterval(() => {
      const { rss } = process.memoryUsage();
      peak = Math.max(peak, rss);
    }, 20);
    const reply = await scu.storeDataset(dataset, { sopClass: rawClass, sopInstance: '2.25.7603.1.1' });
    clearInterval(watch);
    expect(reply.status).toBe(0);
    expect(peak - before.rss).toBeLessThan(100 * 1024 * 1024);
    expect(await blobFiles(archive.folder)).toHaveLength(1);
    await scu.release();
  } finally {
    await archive.close();
  }
});

/** The AE title of a peer, and where it is told of storage commitments. */
async function register(aeTitle: string, port: number): Promise<void> {
  const token = (await server.token('conformance')).trim();
  const identifier = [{ system: 'https://fhir.passerelle.example/sid/dicom-ae-title', value: aeTitle }];
  const owner = { reference: 'Organization/ch-exemple' };
  for (const resource of [
    { resourceType: 'Device', id: 'peer', status: 'active', identifier, owner },
    {
      ...{ resourceType: 'Endpoint', id: 'peer', status: 'active', identifier, managingOrganization: owner },
      connectionType: { code: 'dicom-dimse' },
      payloadType: [{ text: 'DICOM' }],
      address: `dicom://127.0.0.1:${port}`,
    },
  ]) {
    const response = await fetch(`${server.httpUrl}/fhir/${resource.resourceType}/peer`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/fhir+json' },
      body: JSON.stringify(resource),
    });
    expect(response.ok, await response.text()).toBe(true);
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
