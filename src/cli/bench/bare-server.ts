/**
 * The same FHIR routes on the same database with everybody let in and nothing noted: what access control and audit cost. What else every
 * request passes in the server (headers, limits, an id of its own, the log) it passes here.
 */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import fastify, { LogController } from 'fastify';
import { createLimits, crossOrigin, securityHeaders } from '../../access/index.ts';
import { dataFolder, loadConfig, systemClock } from '../../config/index.ts';
import { openDatabase, startEmbeddedPostgres } from '../../db/index.ts';
import { createFhirStore, type FhirGuards, fhirRoutes } from '../../fhir/index.ts';
import { allowGrowth, startSmall } from '../../small-start.ts';
import { demoHospital } from '../demonstration/index.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/** Starts it as a process of its own beside the server that owns the data folder. */
export function startBareServer(dataDir: string): Promise<ServerProcess> {
  return startServerProcess(fileURLToPath(import.meta.url), dataDir);
}

const everybody: FhirGuards = {
  authenticate: async () => ({
    tenant: demoHospital.tenant,
    actor: { reference: 'Device/bench', display: 'bench', account: 'bench', kind: 'machine', roles: [] },
  }),
  authorize: () => undefined,
  isAllowed: () => true,
  auditRead: async () => undefined,
};

async function serveBare(dataDir: string): Promise<void> {
  startSmall();
  const postgres = await startEmbeddedPostgres({
    directory: dataFolder({ dataDir } as Parameters<typeof dataFolder>[0], 'postgres'),
    visitor: true,
  });
  const url = new URL(postgres.superuserUrl);
  url.pathname = '/passerelle';
  const database = openDatabase(url.href, url.href);
  const store = await createFhirStore({ database, checkReferences: false });
  const app = fastify({
    logger: { level: 'error', stream: process.stderr },
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: 'x-request-id',
    genReqId: () => randomUUID(),
    bodyLimit: 32 * 1024 * 1024,
  });
  const { limits, corsOrigins } = loadConfig({}).surface;
  const limited = createLimits(limits, { behindProxy: false, secure: false });
  let httpUrl = '';
  await app.register(securityHeaders, { secure: false });
  await app.register(limited.plugin);
  await app.register(crossOrigin, { origins: corsOrigins });
  await app.register(fhirRoutes, {
    prefix: '/fhir',
    store,
    guards: limited.guard(everybody),
    clock: systemClock,
    baseUrl: () => httpUrl,
  });
  httpUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  allowGrowth();
  process.stdout.write(`${httpUrl}\n`);
  process.once('SIGTERM', () => {
    void app.close().then(() => database.close());
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serveBare(process.argv[2]!);
