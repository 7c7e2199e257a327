import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import fastify, { type FastifyInstance, type InjectOptions, type LightMyRequestResponse } from 'fastify';
import { type Clock, systemClock } from '../../../src/config/index.ts';
import type { Database } from '../../../src/db/index.ts';
import { type BulkData, createBulkData } from '../../../src/fhir/bulk/index.ts';
import {
  type Actor,
  type Context,
  createFhirStore,
  FhirError,
  type FhirGuards,
  fhirRoutes,
  type ReadAccess,
} from '../../../src/fhir/index.ts';
import type { RestStore } from '../../../src/fhir/store/index.ts';
import { testDatabase } from '../../support/database.ts';
import { wholeAccess } from '../../support/whole-access.ts';
import { testVault } from '../../vault/ring.ts';

export const base = 'http://hospital.example/fhir';
export const json = { 'content-type': 'application/fhir+json' };
export const respondAsync = { prefer: 'respond-async' };

export interface Manifest {
  transactionTime: string;
  request: string;
  requiresAccessToken: boolean;
  output: { type: string; url: string; count: number }[];
  deleted: { type: string; url: string; count: number }[];
  error: { type: string; url: string; count: number }[];
  outcome?: Record<string, number>;
}

export interface BulkServer {
  app: FastifyInstance;
  database: Database;
  store: RestStore;
  bulk: BulkData;
  folder: string;
  audited: (ReadAccess & { interaction: string })[];
  /** What authorize refuses. */
  refused: (request: { interaction: string; type?: string; operation?: string }) => boolean;
  /** Accounts that are shut off. */
  closed: Set<string>;
  /** What else accounts are when their jobs run: their establishments, what they see. */
  owner: Partial<Context>;
  clock: { ahead: number };
  request(options: InjectOptions): Promise<LightMyRequestResponse>;
  put(...resources: (Resource & { id: string })[]): Promise<void>;
  /** Asks for an export, runs it, answers its manifest. */
  exported(url: string, payload?: object): Promise<Manifest>;
  /** Posts lines, runs the import, answers its manifest. */
  imported(lines: string | Buffer): Promise<Manifest>;
  /** Resources of the files listed. */
  linesOf(files: Manifest['output']): Promise<(Resource & { id: string })[]>;
  /** Another node on the same database and folder. */
  secondNode(): BulkData;
  close(): Promise<void>;
}

const actorOf = (account: string): Actor => ({
  ...{ reference: `Device/${account}`, display: account, account },
  ...{ kind: 'machine', roles: [] },
});

/** The bearer token names tenant and account: `aa alice`. */
export async function bulkServer(
  options: { linesPerFile?: number; checkReferences?: boolean } = {},
): Promise<BulkServer> {
  const database = await testDatabase();
  const store = await createFhirStore({ database, checkReferences: options.checkReferences === true });
  const folder = await mkdtemp(join(tmpdir(), 'bulk-'));
  const app = fastify({ bodyLimit: 1024 * 1024 });
  const ahead = { ahead: 0 };
  const clock: Clock = { now: () => new Date(systemClock.now().getTime() + ahead.ahead) };
  const server = {
    audited: [] as BulkServer['audited'],
    refused: (() => false) as BulkServer['refused'],
    owner: {} as BulkServer['owner'],
  };
  const closed = new Set<string>();
  const owners = {
    identityOf: async (_tenant: string, account: string) =>
      closed.has(account) ? undefined : { actor: actorOf(account), ...bulk.owner },
  };
  const guards: FhirGuards = {
    async authenticate({ headers }) {
      const [tenant = 'aa', account = 'alice'] = String(headers.authorization ?? 'Bearer aa alice')
        .split(' ')
        .slice(1);
      if (tenant === 'nobody') throw new FhirError(401, 'login', 'sign in first');
      return { tenant, actor: actorOf(account) };
    },
    authorize(_context, request) {
      if (bulk.refused(request)) throw new FhirError(403, 'forbidden', 'not allowed');
    },
    isAllowed: (_context, request) => !bulk.refused(request),
    async auditRead(context, access) {
      server.audited.push({ ...wholeAccess(access), interaction: context.interaction });
    },
  };
  const parts = {
    database,
    store,
    guards,
    owners,
    clock,
    baseUrl: () => 'http://hospital.example',
    folder,
    vault: testVault(),
    sweepEveryMs: 0,
    ...options,
  };
  const data = createBulkData(parts);
  await app.register(fhirRoutes, { prefix: '/fhir', store, guards, clock, baseUrl: parts.baseUrl });
  await app.register(data.routes, { prefix: '/fhir' });

  const request: BulkServer['request'] = (asked) => app.inject(asked);
  const manifestAt = async (address: string): Promise<Manifest> => {
    await data.worker.sweep();
    const answer = await request({ url: address.replace(base, '/fhir') });
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.body}`);
    return answer.json();
  };
  const bulk: BulkServer = Object.assign(server, {
    ...{ app, database, store, folder, request, bulk: data, clock: ahead, closed },
    async put(...resources: (Resource & { id: string })[]) {
      for (const payload of resources) {
        const url = `/fhir/${payload.resourceType}/${payload.id}`;
        const { statusCode, body } = await request({ method: 'PUT', url, headers: json, payload });
        if (statusCode >= 300) throw new Error(`${url}: ${body}`);
      }
    },
    async exported(url: string, payload?: object) {
      const answer = await (payload
        ? request({ method: 'POST', url, headers: { ...json, ...respondAsync }, payload })
        : request({ url, headers: respondAsync }));
      if (answer.statusCode !== 202) throw new Error(`${answer.statusCode} ${answer.body}`);
      return manifestAt(String(answer.headers['content-location']));
    },
    async imported(payload: string | Buffer) {
      const headers = { 'content-type': 'application/fhir+ndjson', ...respondAsync };
      const answer = await request({ method: 'POST', url: '/fhir/$import', headers, payload });
      if (answer.statusCode !== 202) throw new Error(`${answer.statusCode} ${answer.body}`);
      return manifestAt(String(answer.headers['content-location']));
    },
    async linesOf(files: Manifest['output']) {
      const resources: (Resource & { id: string })[] = [];
      for (const { url, count } of files) {
        const answer = await request({ url: url.replace(base, '/fhir'), headers: { 'accept-encoding': 'gzip' } });
        if (answer.headers['content-encoding'] !== 'gzip') throw new Error('not compressed');
        const lines = gunzipSync(answer.rawPayload).toString('utf8').split('\n');
        if (lines.pop() !== '' || lines.length !== count)
          throw new Error(`${url}: ${lines.length} lines, ${count} said`);
        resources.push(...lines.map((line) => JSON.parse(line)));
      }
      return resources;
    },
    secondNode: () => createBulkData({ ...parts, store: { ...store, registerOperation: () => undefined } }),
    async close() {
      await data.worker.stop();
      await app.close();
      await database.close();
      await rm(folder, { recursive: true });
    },
  });
  return bulk;
}
