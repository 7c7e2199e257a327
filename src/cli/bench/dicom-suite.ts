/** STOW-RS and C-STORE of half-megabyte slices by one and by four connections, and how soon the worklist shows what was stored. */
import type { Task } from '@medplum/fhirtypes';
import { sendMessage } from '../../adapters/hl7v2/index.ts';
import { type ChildServer, startChildServer } from '../demo/child-server.ts';
import { withToken } from '../demo/people.ts';
import { until } from '../demo/steps.ts';
import { requestMessage } from '../demonstration/messages.ts';
import { acquire, newUid, send, stowBodies } from '../demonstration/scanner.ts';
import { benchCase } from './bench-case.ts';
import { openDicomSender, outgoing } from './dicom-sender.ts';
import { httpLoad } from './http-load.ts';
import { loadTotal } from './load.ts';
import { socketToDisk } from './raw-limits.ts';
import { type BenchResult, percentile, result } from './result.ts';

const slices = 40;
const perRequest = 10;
const studies = 8;
const worklistSamples = 12;
const waitMs = 20_000;

export async function dicomSuite(): Promise<BenchResult[]> {
  const server = await startChildServer({ LOG_LEVEL: 'error' });
  try {
    const token = await server.token('ris-demo');
    const rows: BenchResult[] = [];
    for (const connections of [1, 4]) rows.push(...(await stow(server, token, connections)));
    for (const associations of [1, 4]) rows.push(...(await cStore(server, associations)));
    rows.push(await imagesToWorklist(server, token));
    return rows;
  } finally {
    await server.stop();
  }
}

async function stow(server: ChildServer, token: string, connections: number): Promise<BenchResult[]> {
  const http = httpLoad(server.httpUrl, token, connections);
  const bodies = Array.from({ length: studies }, (_, n) =>
    stowBodies(acquire({ ...benchCase(`SW${connections}`, n), slices }, newUid(), new Date()).instances, perRequest),
  ).flat();
  const bytes = bodies.reduce((total, body) => total + body.content.length, 0);
  const load = await loadTotal(bodies.length, connections, (n) => {
    const body = bodies[n];
    if (!body) throw new Error('no body');
    return http.send('POST', '/dicomweb/studies', body.content, {
      accept: 'application/dicom+json',
      'content-type': body.contentType,
    });
  });
  http.close();
  const seconds = bodies.length / load.perSecond;
  const limit = await socketToDisk(
    server.dataDir,
    Math.round(bytes / (studies * slices)),
    studies * slices,
    connections,
  );
  return [
    result('dicom', `stow-${connections}`, bytes / 1e6 / seconds, 'MB/s', {
      name: `loopback socket → file → fsync, ${connections} at once`,
      value: limit,
    }),
    result('dicom', `stow-${connections}-instances`, (studies * slices) / seconds, 'instances/s'),
  ];
}

/** One instance at a time on each association, each answered after its commit: the rate of commits, where STOW-RS has ten in one. */
async function cStore(server: ChildServer, associations: number): Promise<BenchResult[]> {
  const files = Array.from({ length: studies }, (_, n) =>
    acquire({ ...benchCase(`CS${associations}`, n), slices }, newUid(), new Date()).instances.map(outgoing),
  );
  const senders = await Promise.all(Array.from({ length: associations }, () => openDicomSender(server.dimsePort)));
  const bytes = files.flat().reduce((total, { dataset }) => total + dataset.length, 0);
  const start = performance.now();
  // A study comes by one association, as PACS send.
  await Promise.all(
    senders.map(async (sender, index) => {
      for (let study = index; study < studies; study += associations)
        for (const instance of files[study] ?? []) await sender.send(instance);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  for (const sender of senders) sender.close();
  const count = studies * slices;
  const limit = await socketToDisk(server.dataDir, Math.round(bytes / count), count, associations);
  const name = associations === 1 ? 'c-store' : `c-store-${associations}`;
  return [
    result('dicom', name, bytes / 1e6 / seconds, 'MB/s', {
      name: `loopback socket → file → fsync, ${associations} at once`,
      value: limit,
    }),
    result('dicom', `${name}-instances`, count / seconds, 'instances/s'),
  ];
}

/** From the answer to the last instance's STOW to a worklist search that shows the case with its images. */
async function imagesToWorklist(server: ChildServer, token: string): Promise<BenchResult> {
  const reader = withToken(server.httpUrl, await server.token('radiologue'));
  const durations: number[] = [];
  for (let n = 0; n < worklistSamples; n++) {
    const exam = { ...benchCase('WL', n), slices: 4 };
    await sendMessage(
      { host: '127.0.0.1', port: server.mllpPort },
      Buffer.from(requestMessage(exam, `WL${n}`, new Date())),
    );
    const { instances } = acquire(exam, newUid(), new Date());
    await send(server.httpUrl, token, instances);
    const start = performance.now();
    await until('the images in the worklist', waitMs, async () => {
      const tasks = await reader.search<Task>('Task', {
        code: 'teleradiology-case',
        _sort: '-_lastUpdated',
        _count: '50',
      });
      const task = tasks.find((item) => item.groupIdentifier?.value === exam.placerNumber);
      return task?.output?.some((item) => item.valueReference?.reference?.startsWith('ImagingStudy/')) || undefined;
    });
    durations.push(performance.now() - start);
  }
  return result('dicom', 'images-to-worklist-p95', percentile(durations, 95), 'ms');
}
