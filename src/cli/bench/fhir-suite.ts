/**
 * Creates, reads and transaction Bundles over HTTP, with access control, row-level security, validation, indexing and audit on, and
 * durable; the same without access control and audit, to show what they cost; and how fast the journal becomes AuditEvents.
 */
import type { Bundle } from '@medplum/fhirtypes';
import { type ChildServer, startChildServer } from '../demo/child-server.ts';
import { startBareServer } from './bare-server.ts';
import { type HttpLoad, httpLoad } from './http-load.ts';
import { type Load, loadFor } from './load.ts';
import { rawDatabase } from './raw-limits.ts';
import { restrictedLoad } from './restricted-load.ts';
import { type BenchResult, percentile, result } from './result.ts';
import { benchRequest } from './service-request.ts';

const connections = 32;
const seconds = 6;
const warmUpSeconds = 3;
const importConnections = 4;
const importedAtOnce = 200;

export async function fhirSuite(): Promise<BenchResult[]> {
  const server = await startChildServer({ LOG_LEVEL: 'error' });
  try {
    return await measure(server);
  } finally {
    await server.stop();
  }
}

async function measure(server: ChildServer): Promise<BenchResult[]> {
  const raw = await rawDatabase(server.dataDir, connections);
  const http = httpLoad(server.httpUrl, await server.token('conformance'), connections);
  const risToken = await server.token('ris-demo');
  const ris = httpLoad(server.httpUrl, risToken, connections);
  const bare = await startBareServer(server.dataDir);
  const bareHttp = httpLoad(bare.httpUrl, 'none', connections);
  const content = JSON.stringify(benchRequest(1));
  try {
    await put(http, 'Patient/bench', { resourceType: 'Patient', id: 'bench' });
    await put(http, 'ServiceRequest/bench', { ...benchRequest(1), id: 'bench' });
    const creates = await create(http);
    const projection = await projected(http, creates);
    const bareCreates = await create(bareHttp);
    const inserts = await raw.inserts(content, seconds);
    const insertLimit = { name: `INSERT, ${connections} connections, durable`, value: inserts };

    const imports = await importBundles(http);
    const read = await reads(http);
    const bareRead = await reads(bareHttp);
    await importBundles(ris);
    const restricted = await restrictedLoad(ris, bareHttp, server.httpUrl, risToken);
    const selectLimit = { name: `SELECT, ${connections} connections`, value: await raw.selects(content, seconds) };
    return [
      result('fhir', 'create', creates.perSecond, '1/s', insertLimit),
      result('fhir', 'create-p95', percentile(creates.durations, 95), 'ms'),
      result('fhir', 'create-and-audit-events', projection.creates, '1/s', insertLimit),
      result('fhir', 'create-no-access-no-audit', bareCreates.perSecond, '1/s', insertLimit),
      result('fhir', 'import', imports, 'resources/s', insertLimit),
      result('fhir', 'read', read.perSecond, '1/s', selectLimit),
      result('fhir', 'read-p95', percentile(read.durations, 95), 'ms'),
      result('fhir', 'read-no-access-no-audit', bareRead.perSecond, '1/s', selectLimit),
      result('fhir', 'audit-events', projection.events, '1/s'),
      ...restricted,
    ];
  } finally {
    http.close();
    ris.close();
    bareHttp.close();
    await bare.stop();
    await raw.close();
  }
}

function put(http: HttpLoad, path: string, resource: object): Promise<number> {
  return http.send('PUT', `/fhir/${path}`, Buffer.from(JSON.stringify(resource)));
}

async function create(http: HttpLoad): Promise<Load> {
  const one = (n: number) => http.send('POST', '/fhir/ServiceRequest', Buffer.from(JSON.stringify(benchRequest(n))));
  await loadFor(warmUpSeconds, connections, one);
  return loadFor(seconds, connections, one);
}

async function reads(http: HttpLoad): Promise<Load> {
  const one = () => http.send('GET', '/fhir/ServiceRequest/bench');
  await loadFor(warmUpSeconds, connections, one);
  return loadFor(seconds, connections, one);
}

/** What a create costs when its AuditEvent is made too: a search for AuditEvents makes all that the load left to be made. */
async function projected(http: HttpLoad, load: Load): Promise<{ events: number; creates: number }> {
  const start = performance.now();
  await http.send('GET', '/fhir/AuditEvent?_count=1');
  const made = (performance.now() - start) / 1000;
  const created = load.durations.length;
  // The warm-up left its events as well.
  const all = created * ((seconds + warmUpSeconds) / seconds);
  const events = all / made;
  return { events, creates: 1 / (1 / load.perSecond + 1 / events) };
}

/** Transaction Bundles of creates, each resource naming its patient by `urn:uuid`. */
async function importBundles(http: HttpLoad): Promise<number> {
  const send = (n: number) => http.send('POST', '/fhir', Buffer.from(JSON.stringify(bundle(n))));
  await loadFor(1, importConnections, send);
  const { perSecond } = await loadFor(seconds, importConnections, send);
  return perSecond * importedAtOnce;
}

function bundle(n: number): Bundle {
  const patient = `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  return {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: patient, request: { method: 'POST', url: 'Patient' }, resource: { resourceType: 'Patient' } },
      ...Array.from({ length: importedAtOnce - 1 }, (_, k) => ({
        request: { method: 'POST' as const, url: 'ServiceRequest' },
        resource: { ...benchRequest(n * importedAtOnce + k), subject: { reference: patient } },
      })),
    ],
  };
}
