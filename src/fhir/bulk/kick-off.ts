/** Begins jobs: the operations $export (system, patients, group) and $import. */
import { Readable } from 'node:stream';
import type { Binary } from '@medplum/fhirtypes';
import { FhirError, type FhirStore, type Operation, type OperationAnswer, type OperationCall } from '../contract.ts';
import { refusal, textsOf } from '../operations/input.ts';
import { targetOf } from '../operations/targets.ts';
import { exportRequestOf } from './export-request.ts';
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
  const [format = 'application/fhir+ndjson', ...more] = textsOf(call.parameters, 'inputFormat');
  if (format !== 'application/fhir+ndjson' || more.length > 0)
    throw refusal('inputFormat is application/fhir+ndjson', 'inputFormat');
  const inputs = (call.parameters.parameter ?? []).filter(({ name }) => name === 'input');
  if (inputs.length === 0) throw refusal('Post NDJSON, or Parameters with at least one input', 'input');
  const files: Buffer[] = [];
  for (const { part } of inputs) {
    const url = part?.find(({ name }) => name === 'url');
    const target = targetOf(url?.valueUrl ?? url?.valueUri ?? '', call.base);
    if (target?.type !== 'Binary') throw refusal('input.url is a Binary of this server', 'input');
    call.authorize({ interaction: 'read', ...target });
    const { data = '' } = (await call.tx.read('Binary', target.id)) as Binary;
    files.push(Buffer.from(data, 'base64'), Buffer.from('\n'));
  }
  const id = newJobId();
  const { tenant } = call.tx.context;
  return begin(
    call,
    async () => {
      await keepInput(parts.imports, { tenant, id }, Readable.from(files), false);
      const request = { base: call.base, url: `${call.base}/$import` };
      return insertJob(call.tx.sql, call.tx.context, { kind: 'import', id, request });
    },
    parts,
  );
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

/** 202 with the address to ask; 429 when the tenant has enough to do. */
export async function begin(
  { tx, base }: Pick<OperationCall, 'tx' | 'base'>,
  insert: () => Promise<string>,
  { wake }: Pick<KickOffParts, 'wake'>,
): Promise<OperationAnswer> {
  await tx.lock('bulk jobs');
  if ((await countOpen(tx.sql, tx.context.tenant)) >= openJobsAtMost) {
    const { outcome } = new FhirError(429, 'throttled', `${openJobsAtMost} jobs are open already: wait for one to end`);
    return { status: 429, headers: { 'Retry-After': retryAfterSeconds }, resource: outcome };
  }
  const id = await insert();
  tx.afterCommit(wake);
  return { status: 202, headers: { 'Content-Location': statusUrl(base, id) } };
}
