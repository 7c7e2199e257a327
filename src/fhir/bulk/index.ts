/** Bulk Data: $export (https://hl7.org/fhir/uv/bulkdata) and $import, as jobs that outlive requests and crashes. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import type { Vault } from '../../vault/index.ts';
import type { FhirGuards } from '../contract.ts';
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import { createParameterRegistry } from '../search/parameters.ts';
import type { RestStore } from '../store/contract.ts';
import { interpretPath } from '../store/interpreter.ts';
import type { Owners } from '../subscriptions/contract.ts';
import { type ExportParts, runExport } from './export-run.ts';
import { runImport } from './import-run.ts';
import { registerBulkOperations } from './kick-off.ts';
import { bulkRoutes } from './routes.ts';
import { createWorker, type Log, type Worker } from './worker.ts';

export interface BulkDataOptions {
  database: Database;
  store: RestStore;
  guards: FhirGuards;
  /** Jobs go on with the rights their accounts have by then. */
  owners: Owners;
  clock: Clock;
  baseUrl(): string;
  /** Folder of the data folder below which the files lie. */
  folder: string;
  /** Seals them. */
  vault: Vault;
  log?: Log;
  /** For tests: 0 leaves looking for jobs to `worker.sweep`. */
  sweepEveryMs?: number;
  linesPerFile?: number;
}

export interface BulkData {
  worker: Worker;
  /** A Fastify plugin, to be registered under the prefix of `fhirRoutes`. */
  routes(app: FastifyInstance): Promise<void>;
}

/** Registers the operations; `worker.start` begins to run what is asked for. */
export function createBulkData(options: BulkDataOptions): BulkData {
  const { database, store, guards, clock, baseUrl, folder, vault, linesPerFile, ...rest } = options;
  const exportFolder = join(folder, 'exports');
  const imports = { folder: join(folder, 'imports'), vault };
  let exporting: ExportParts | undefined;
  /** Definitions are read by the first export. */
  const exportParts = (): ExportParts => {
    const definitions = loadSearchDefinitions();
    return {
      ...{ database, store, guards, definitions, vault, folder: exportFolder },
      registry: createParameterRegistry(definitions, interpretPath),
      ...(linesPerFile === undefined ? {} : { linesPerFile }),
    };
  };
  const worker = createWorker({
    ...rest,
    database,
    clock,
    folders: [exportFolder, imports.folder],
    guards,
    run: async (job, contextNow, attempt) => {
      if (job.kind === 'import') return runImport({ store, guards, files: imports }, job, contextNow, attempt);
      exporting ??= exportParts();
      return runExport(exporting, job, await contextNow(), attempt);
    },
  });
  registerBulkOperations(store, { imports, wake: worker.wake });
  return {
    worker,
    routes: (app) =>
      bulkRoutes(app, { database, store, guards, clock, baseUrl, exportFolder, imports, wake: worker.wake }),
  };
}
