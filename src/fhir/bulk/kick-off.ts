/** Begins jobs: the operations $export (system, patients, group) and $import. */
import { Readable } from 'node:stream';
import type { Binary, Parameters } from '@medplum/fhirtypes';
import {
  FhirError,
  type FhirStore,
  type FhirTransaction,
  type Operation,
  type OperationAnswer,
  type OperationCall,
} from '../contract.ts';
import { refusal, refuseOthers, textOnce, typesOf } from '../operations/input.ts';
import { targetOf } from '../operations/targets.ts';
import { exportRequestOf } from './export-request.ts';
import { removeJobFiles } from './folders.ts';
import { type ImportFiles, keepInput } from './import-input.ts';
import type { ExportRequest } from './job.ts';
import { countOpen, insertJob, newJobId } from './job-table.ts';
import { statusUrl } from './manifest.ts';

/** Jobs of one tenant that may wait or run at the same time. */
const openJobsAtMost = 5;
const retryAfterSeconds = '60';

export interface KickOffParts {
  imports: ImportFiles;
  wake(): void;
}

export function registerBulkOperations(store: FhirStore, parts: KickOffParts): void {
  const definition = (id: string) => `http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${id}`;
  const exports: Operation[] = [
    { ...exportAt('system', parts), level: 'system', definition: definition('export') },
    { ...exportAt('patient', parts), type: 'Patient', level: 'type', definition: definition('patient-export') },
    { ...exportAt('group', parts), type: 'Group', level: 'instance', definition: definition('group-export') },
  ];
  for (const operation of exports) store.registerOperation(operation);
  store.registerOperation({
    name: 'import',
    level: 'system',
    affectsState: true,
    run: (call) => importFiles(call, parts),
  });
}

/** Asked by GET too, although it leaves a job: what is stored of patients stays as it is. */
function exportAt(level: ExportRequest['level'], parts: KickOffParts) {
  return {
    name: 'export',
    affectsState: false,
    readsElements: true as const,
    async run(call: OperationCall): Promise<OperationAnswer> {
      requireAsync(call.prefer);
      const request = exportRequestOf(call, level);
      for (const type of request.types ?? []) call.authorize({ interaction: 'search-type', type });
      if (request.group !== undefined) {
        call.authorize({ interaction: 'read', type: 'Group', id: request.group });
        await call.tx.read('Group', request.group);
      }
      return begin(call, () => insertJob(call.tx.sql, call.tx.context, { kind: 'export', request }), parts);
    },
  };
}

/** Files that are on this server already, as Binary: an address elsewhere is nothing a server may be sent to. */
export async function importFiles(call: OperationCall, parts: KickOffParts): Promise<OperationAnswer> {
  requireAsync(call.prefer);
  const files = filesNamed(call);
  const id = newJobId();
  const { tenant } = call.tx.context;
  const request = { base: call.base, url: `${call.base}/$import` };
  const full = await noRoom(call.tx);
  if (full) return full;
  // Before the lock under which jobs begin: files may be many.
  await keepInput(parts.imports, { tenant, id }, Readable.from(contentsOf(call, files)), false);
  const job = { kind: 'import' as const, id, request };
  const answer = await begin(call, () => insertJob(call.tx.sql, call.tx.context, job), parts);
  if (answer.status !== 202) await removeJobFiles(parts.imports.folder, { tenant, id });
  return answer;
}

const importParameters = ['inputFormat', 'inputSource', 'storageDetail', 'input'];

/** Ids of the Binaries. @throws FhirError 400 for what would not be honoured, 403 for who may not read them. */
function filesNamed({ parameters, base, authorize }: OperationCall): string[] {
  refuseOthers(parameters, importParameters);
  const format = textOnce(parameters, 'inputFormat') ?? 'application/fhir+ndjson';
  if (format !== 'application/fhir+ndjson') throw refusal('inputFormat is application/fhir+ndjson', 'inputFormat');
  const given = (parameters.parameter ?? []).map(({ name, part = [] }) => ({ name, part }));
  for (const { part } of given.filter(({ name }) => name === 'storageDetail'))
    if (part.some(({ name, valueCode, valueString }) => name !== 'type' || (valueCode ?? valueString) !== 'https'))
      throw refusal('storageDetail has the type https and nothing else', 'storageDetail');
  const inputs = given.filter(({ name }) => name === 'input');
  if (inputs.length === 0) throw refusal('Post NDJSON, or Parameters with at least one input', 'input');
  return inputs.map(({ part }) => {
    const ofInput: Parameters = { resourceType: 'Parameters', parameter: part };
    refuseOthers(ofInput, ['type', 'url']);
    // Each line says its own type; a name that is none is a mistake of somebody.
    typesOf(ofInput, 'type');
    const target = targetOf(textOnce(ofInput, 'url') ?? '', base);
    if (target?.type !== 'Binary') throw refusal('input.url is a Binary of this server', 'input');
    authorize({ interaction: 'read', ...target });
    return target.id;
  });
}

/** One file in memory at a time. */
async function* contentsOf({ tx }: OperationCall, ids: readonly string[]): AsyncGenerator<Buffer> {
  for (const id of ids) {
    const { data = '' } = (await tx.read('Binary', id)) as Binary;
    yield Buffer.from(data, 'base64');
    yield Buffer.from('\n');
  }
}

/** https://hl7.org/fhir/R4/async.html */
export function requireAsync(prefer: string | undefined): void {
  if (!prefer?.split(',').some((part) => part.trim() === 'respond-async')) {
    throw new FhirError(
      400,
      'required',
      'Prefer: respond-async is needed: this takes longer than a request lasts',
      'http.Prefer',
    );
  }
}

/** 429 when the tenant has enough to do: asked before a file is received as well, which may be large. */
export async function noRoom({
  sql,
  context,
}: Pick<FhirTransaction, 'sql' | 'context'>): Promise<OperationAnswer | undefined> {
  if ((await countOpen(sql, context.tenant)) < openJobsAtMost) return undefined;
  const { outcome } = new FhirError(429, 'throttled', `${openJobsAtMost} jobs are open already: wait for one to end`);
  return { status: 429, headers: { 'Retry-After': retryAfterSeconds }, resource: outcome };
}

/** 202 with the address to ask; 429 when the tenant has enough to do. */
export async function begin(
  { tx, base }: Pick<OperationCall, 'tx' | 'base'>,
  insert: () => Promise<string>,
  { wake }: Pick<KickOffParts, 'wake'>,
): Promise<OperationAnswer> {
  await tx.lock('bulk jobs');
  const full = await noRoom(tx);
  if (full) return full;
  const id = await insert();
  tx.afterCommit(wake);
  return { status: 202, headers: { 'Content-Location': statusUrl(base, id) } };
}
