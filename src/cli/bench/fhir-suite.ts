/**
 * Creates, reads and transaction Bundles over HTTP, with access control, row-level security, validation, indexing and audit on, and
 * durable; the same without access control and audit, to show what they cost; a request that is one statement and nothing else, to show
 * what HTTP costs; and how fast the journal becomes AuditEvents. Each is measured on code that ran for a while already.
 */
import type { Bundle } from '@medplum/fhirtypes';
import { type ChildServer, startChildServer } from '../demo/child-server.ts';
import { startBareServer } from './bare-server.ts';
import { type HttpLoad, httpLoad } from './http-load.ts';
import { type Load, loadFor } from './load.ts';
import { startPeerServer } from './peer-server.ts';
import { flushMs, rawDatabase } from './raw-limits.ts';
import { restrictedLoad } from './restricted-load.ts';
import { type BenchResult, besidePeer, percentile, result } from './result.ts';
import { benchRequest, benchRequestText } from './service-request.ts';
import { auditEventsMade, settle } from './settle.ts';
import { widerLoad } from './wider-load.ts';

const connections = 32;
const seconds = 6;
/** Reads leave so many entries of the trail that a longer run would be joined by the background projection (settle.ts). */
const readSeconds = 4;
/** A create passes much code, which V8 compiles as it sees it run. */
const createWarmUpSeconds = 10;
const readWarmUpSeconds = 3;
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
  const flush = await flushMs(server.dataDir);
  const raw = await rawDatabase(server.dataDir, connections);
  const http = httpLoad(server.httpUrl, await server.token('conformance'), connections);
  const risToken = await server.token('ris-demo');
  const ris = httpLoad(server.httpUrl, risToken, connections);
  const bare = await startBareServer(server.dataDir);
  const bareHttp = httpLoad(bare.httpUrl, 'none', connections);
  const peer = await startPeerServer(server.dataDir);
  const peerHttp = httpLoad(peer.httpUrl, 'none', connections);
  const content = JSON.stringify(benchRequest(1));
  try {
    await put(http, 'Patient/bench', { resourceType: 'Patient', id: 'bench' });
    await put(http, 'ServiceRequest/bench', { ...benchRequest(1), id: 'bench' });
    const creates = await create(http, http);
    const projection = await projected(http, creates);
    const bareCreates = await create(bareHttp);
    const inserts = await raw.inserts(content, seconds);
    const insertLimit = { name: `INSERT, ${connections} connections, durable`, value: inserts };
    const peerCreates = await measured(peerCreate(peerHttp), readWarmUpSeconds, seconds);
    const createPeer = { name: 'HTTP and one INSERT', value: peerCreates.perSecond };

    const imports = await importBundles(http);
    const read = await reads(http, '/fhir/ServiceRequest/bench', http);
    const bareRead = await reads(bareHttp, '/fhir/ServiceRequest/bench');
    const selectLimit = { name: `SELECT, ${connections} connections`, value: await raw.selects(content, seconds) };
    const peerRead = await reads(peerHttp, await onePeerRow(peer.httpUrl, content));
    const readPeer = { name: 'HTTP and one SELECT', value: peerRead.perSecond };
    await importBundles(ris);
    const { httpUrl } = server;
    const restricted = await restrictedLoad({
      connections,
      own: ris,
      bare: bareHttp,
      whole: http,
      httpUrl,
      token: risToken,
    });
    // Two hundred connections of the raw limit are to come.
    await raw.close();
    await peer.stop();
    const wider = await widerLoad({ server, bareUrl: bare.httpUrl, risToken, content });
    return [
      besidePeer(result('fhir', 'create', creates.perSecond, '1/s', insertLimit), creates.perSecond, createPeer),
      result('fhir', 'create-p95', percentile(creates.durations, 95), 'ms'),
      result('fhir', 'create-and-audit-events', projection.creates, '1/s', insertLimit),
      result('fhir', 'disk-flush', flush, 'ms'),
      result('fhir', 'one-insert-over-http', peerCreates.perSecond, '1/s', insertLimit),
      result('fhir', 'one-select-over-http', peerRead.perSecond, '1/s', selectLimit),
      result('fhir', 'create-no-access-no-audit', bareCreates.perSecond, '1/s', insertLimit),
      result('fhir', 'import', imports, 'resources/s', insertLimit),
      besidePeer(result('fhir', 'read', read.perSecond, '1/s', selectLimit), read.perSecond, readPeer),
      result('fhir', 'read-p95', percentile(read.durations, 95), 'ms'),
      result('fhir', 'read-no-access-no-audit', bareRead.perSecond, '1/s', selectLimit),
      result('fhir', 'audit-events', projection.events, '1/s'),
      ...restricted,
      ...wider,
    ];
  } finally {
    http.close();
    ris.close();
    bareHttp.close();
    peerHttp.close();
    await bare.stop();
    await peer.stop();
    await raw.close();
  }
}

function put(http: HttpLoad, path: string, resource: object): Promise<number> {
  return http.send('PUT', `/fhir/${path}`, Buffer.from(JSON.stringify(resource)));
}

type Work = (n: number) => Promise<unknown>;

/** @param audited the measured server, where the warm-up leaves AuditEvents to be made first. */
async function measured(one: Work, warmUpSeconds: number, forSeconds: number, audited?: HttpLoad): Promise<Load> {
  await loadFor(warmUpSeconds, connections, one);
  if (audited) await settle(audited);
  return loadFor(forSeconds, connections, one);
}

function create(http: HttpLoad, audited?: HttpLoad): Promise<Load> {
  const one: Work = (n) => http.send('POST', '/fhir/ServiceRequest', benchRequestText(n));
  return measured(one, createWarmUpSeconds, seconds, audited);
}

function peerCreate(http: HttpLoad): Work {
  return (n) => http.send('POST', '/', benchRequestText(n));
}

function reads(http: HttpLoad, path: string, audited?: HttpLoad): Promise<Load> {
  return measured(() => http.send('GET', path), readWarmUpSeconds, readSeconds, audited);
}

/** @returns path of a row of the peer's. */
async function onePeerRow(httpUrl: string, content: string): Promise<string> {
  const headers = { 'content-type': 'application/fhir+json' };
  const answer = await fetch(httpUrl, { method: 'POST', headers, body: content });
  return answer.headers.get('location')!;
}

/** What a create costs when its AuditEvent is made too: a search for AuditEvents makes all that the load left to be made. */
async function projected(http: HttpLoad, load: Load): Promise<{ events: number; creates: number }> {
  const start = performance.now();
  await auditEventsMade(http);
  const made = (performance.now() - start) / 1000;
  const events = load.durations.length / made;
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
