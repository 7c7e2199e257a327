/**
 * Addresses of Bulk Data beside the RESTful API: state of a job, its files, and NDJSON posted to be imported, which is a stream and no
 * body that could be held. Register under the prefix of `fhirRoutes`.
 */
import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip, createGzip } from 'node:zlib';
import type { Parameters } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type Context, FhirError, type FhirGuards, type OperationAnswer } from '../contract.ts';
import { parseSentJson } from '../json/index.ts';
import { takesGzip } from '../rest/content-encoding.ts';
import { failureOf, loggable } from '../rest/errors.ts';
import type { RestStore } from '../store/contract.ts';
import { validateResource } from '../validation/index.ts';
import { exportedFile, removeJobFiles } from './folders.ts';
import { type ImportFiles, keepInput } from './import-input.ts';
import { issuesOf } from './import-run.ts';
import { demandOf, type Job } from './job.ts';
import { cancelJob, findJob, insertJob, isJobId, newJobId } from './job-table.ts';
import { begin, importFiles, noRoom, requireAsync } from './kick-off.ts';
import { filePath, issuesFile, manifestOf, statusPath } from './manifest.ts';

export interface BulkRoutesOptions {
  database: Database;
  store: RestStore;
  guards: FhirGuards;
  clock: Clock;
  baseUrl(): string;
  exportFolder: string;
  imports: ImportFiles;
  wake(): void;
}

const ndjson = 'application/fhir+ndjson';
const inputTypes = [ndjson, 'application/ndjson', 'application/x-ndjson'];
const fhirJson = 'application/fhir+json; charset=utf-8';
const retryAfterSeconds = '5';
/** Parameters name files; they do not hold them. */
const parametersLimitBytes = 1024 ** 2;

export async function bulkRoutes(app: FastifyInstance, options: BulkRoutesOptions): Promise<void> {
  const { database, store, guards, clock, exportFolder, imports, wake } = options;
  const base = ({ params }: FastifyRequest) =>
    options.baseUrl() + app.prefix.replace(':tenant', (params as { tenant?: string }).tenant ?? '');

  app.removeAllContentTypeParsers();
  // Not read: each route says what it wants of the octets.
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  app.setErrorHandler((error, request, reply) => {
    const { status, outcome, isInternal } = failureOf(error, request.id);
    if (isInternal) request.log.error({ ...loggable(error), requestId: request.id }, 'bulk data request failed');
    if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
    // A body nobody reads to its end would hold up the next request of its connection until that is given up.
    request.raw.resume();
    return reply.code(status).header('Cache-Control', 'no-store').type(fhirJson).send(JSON.stringify(outcome));
  });

  async function contextOf(request: FastifyRequest, interaction: string): Promise<Context> {
    const caller = await guards.authenticate(request);
    return { ...caller, requestId: request.id, interaction, network: request.ip, now: () => clock.now() };
  }

  /** @throws FhirError 404 for jobs of others too: who did not ask is not told that there is one. The trail is told of either. */
  async function ownJob(request: FastifyRequest, interaction: string): Promise<{ context: Context; job: Job }> {
    const context = await contextOf(request, interaction);
    const { id } = request.params as { id: string };
    const asked = isJobId(id) ? { query: `${statusPath}/${id}` } : {};
    const job = await database.transaction(context.tenant, (sql) => findJob(sql, context.tenant, id));
    const isOwn = job?.account === context.actor.account && job.state !== 'cancelled';
    const isKept = isOwn && (job.expiresAt === undefined || job.expiresAt > clock.now());
    if (!isKept) {
      await guards.auditRead(context, { resources: [], ...asked, outcome: 'failed' });
      throw new FhirError(404, 'not-found', 'No such job, or not any more');
    }
    // The right to it may have been taken away since.
    guards.authorize(context, demandOf(job));
    return { context, job };
  }

  /** That a job's result was shown, or the job ended. @param path below the base. */
  const tell = (context: Context, job: Job, path: string) =>
    guards.auditRead(context, { resources: [], query: `${job.request.url} ${path}`, outcome: 'success' });

  app.get<{ Params: { id: string } }>(`/${statusPath}/:id`, async (request, reply) => {
    const { context, job } = await ownJob(request, 'operation:$bulk-status');
    reply.header('Cache-Control', 'no-store');
    // What asks again and again whether it is over is told nothing, and makes no entry each time.
    if (job.state === 'failed' || job.state === 'done') await tell(context, job, `${statusPath}/${job.id}`);
    if (job.state === 'failed') {
      return reply.code(500).type(fhirJson).send(JSON.stringify(job.failure));
    }
    const manifest = manifestOf(job);
    if (manifest) {
      return reply
        .header('Expires', job.expiresAt!.toUTCString())
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(manifest));
    }
    const progress = job.state === 'queued' ? 'waiting' : (job.progress ?? 'started');
    return reply.code(202).header('X-Progress', progress).header('Retry-After', retryAfterSeconds).send();
  });

  app.delete<{ Params: { id: string } }>(`/${statusPath}/:id`, async (request, reply) => {
    const { context, job } = await ownJob(request, 'operation:$bulk-cancel');
    await tell(context, job, `${statusPath}/${job.id}`);
    await database.transaction(job.tenant, (sql) => cancelJob(sql, job.tenant, job.id, clock.now()));
    wake();
    return reply.code(202).send();
  });

  app.get<{ Params: { id: string; name: string } }>(`/${filePath}/:id/:name`, async (request, reply) => {
    const { context, job } = await ownJob(request, 'operation:$bulk-file');
    const { name } = request.params;
    const isCompressed = takesGzip(request.headers['accept-encoding']);
    const body = fileOf(job, name, isCompressed);
    const path = `${filePath}/${job.id}/${name}`;
    // A file names thousands: the trail tells which file of which export, and the export's own entry tells of what.
    await tell(context, job, path);
    reply.type(ndjson).header('Cache-Control', 'no-store').header('Vary', 'Accept-Encoding');
    if (isCompressed) reply.header('Content-Encoding', 'gzip');
    return reply.send(body);
  });

  function fileOf(job: Job, name: string, isCompressed: boolean): Readable {
    // A file that is not whole breaks the answer off: what the client has by then, it knows to be a part.
    const told = (error: unknown) => {
      if (error) app.log.error({ error: (error as Error).name, job: job.id }, 'a file of a job could not be sent');
    };
    if (job.kind === 'import') {
      if (name !== issuesFile) throw new FhirError(404, 'not-found', 'No such file');
      const query = (text: string, values: unknown[]) =>
        database.query<{ line: string; outcome: string }>(job.tenant, text, values);
      const lines = Readable.from(issuesOf(query, job));
      // Not `pipe`: a database that fails in the middle must end this answer, not the process.
      return isCompressed ? pipeline(lines, createGzip(), told) : lines;
    }
    const { output = [], deleted = [], error = [] } = job.result ?? {};
    if (![...output, ...deleted, ...error].some((file) => file.name === name)) {
      throw new FhirError(404, 'not-found', 'No such file');
    }
    const { path, objectName } = exportedFile(exportFolder, job, name);
    const [sealed, opened] = [createReadStream(path), imports.vault.opening(objectName)];
    return isCompressed ? pipeline(sealed, opened, told) : pipeline(sealed, opened, createGunzip(), told);
  }

  app.post('/$import', async (request, reply) => {
    const context = await contextOf(request, 'operation:$import');
    guards.authorize(context, { interaction: 'operation', operation: 'import' });
    const isInput = isNdjson(request.headers['content-type']);
    const answer = await (isInput ? importPosted(request, context) : importNamed(request, context));
    if (answer.status === 202) await guards.auditRead(context, { resources: [], outcome: 'success' });
    reply.code(answer.status).headers(answer.headers ?? {});
    if (!answer.resource) return reply.send();
    return reply.type(fhirJson).send(JSON.stringify(answer.resource));
  });

  /** NDJSON: on disk before it is acknowledged. */
  async function importPosted(request: FastifyRequest, context: Context): Promise<OperationAnswer> {
    requireAsync(String(request.headers.prefer ?? ''));
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'gzip') throw new FhirError(415, 'not-supported', 'only gzip is undone');
    const { tenant } = context;
    const full = await store.restTransaction(context, noRoom);
    if (full) return full;
    const id = newJobId();
    await keepInput(imports, { tenant, id }, request.body as Readable, encoding === 'gzip');
    const job = { kind: 'import' as const, id, request: { base: base(request), url: `${base(request)}/$import` } };
    const answer = await store.restTransaction(context, (tx) =>
      begin({ tx, base: base(request) }, () => insertJob(tx.sql, context, job), { wake }),
    );
    if (answer.status !== 202) await removeJobFiles(imports.folder, { tenant, id });
    return answer;
  }

  /** Parameters that name files. */
  async function importNamed(request: FastifyRequest, context: Context): Promise<OperationAnswer> {
    const parameters = await parametersPosted(request);
    return store.restTransaction(context, (tx) =>
      importFiles(
        {
          tx,
          base: base(request),
          query: '',
          prefer: String(request.headers.prefer ?? ''),
          parameters,
          authorize: (demand) => guards.authorize(context, demand),
          isAllowed: (demand) => guards.isAllowed(context, demand),
        },
        { imports, wake },
      ),
    );
  }
}

/** @throws FhirError 400, 413, 415. */
async function parametersPosted(request: FastifyRequest): Promise<Parameters> {
  if (!/^application\/(?:fhir\+)?json\b/.test(request.headers['content-type'] ?? '')) {
    throw new FhirError(415, 'not-supported', `$import takes ${ndjson}, or Parameters as application/fhir+json`);
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request.body as Readable) {
    size += (part as Buffer).length;
    if (size > parametersLimitBytes) throw new FhirError(413, 'too-long', 'the body is larger than this server takes');
    parts.push(part as Buffer);
  }
  const parameters = parseBody(Buffer.concat(parts).toString('utf8'));
  const issues = validateResource(parameters).filter(({ severity }) => severity === 'error' || severity === 'fatal');
  if (issues.length > 0) throw FhirError.of(400, issues);
  if (parameters.resourceType !== 'Parameters') throw new FhirError(400, 'structure', 'Parameters are expected');
  return parameters;
}

function parseBody(text: string): Parameters {
  try {
    return parseSentJson(text) as Parameters;
  } catch (error) {
    if (error instanceof SyntaxError) throw new FhirError(400, 'structure', 'the body is not JSON');
    throw error;
  }
}

function isNdjson(contentType: string | undefined): boolean {
  return inputTypes.includes(contentType?.split(';')[0]?.trim().toLowerCase() ?? '');
}
