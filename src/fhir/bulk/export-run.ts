/** One attempt at an export: everything asked for, of one moment, into files. */
import type { OperationOutcome, ResourceType } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import type { Vault } from '../../vault/index.ts';
import type { Context, FhirGuards } from '../contract.ts';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import { compartmentTypes } from '../operations/compartments.ts';
import { typesInUse } from '../operations/types-in-use.ts';
import type { ParameterRegistry } from '../search/parameters.ts';
import { subsetText } from '../search/subset.ts';
import type { RestStore, RestTransaction } from '../store/contract.ts';
import { deletedRows, type ExportRow, liveRows, matchingRows } from './export-rows.ts';
import { exportedFile, flushFolder, freshFolder } from './folders.ts';
import type { ExportJob, ExportRequest, ExportResult } from './job.ts';
import { membershipOf, patientsOf } from './membership.ts';
import { linesPerFile, type NdjsonFiles, type NdjsonWriter, ndjsonWriter } from './ndjson-files.ts';
import { withSnapshot } from './snapshot.ts';

export interface ExportParts {
  database: Database;
  store: RestStore;
  guards: FhirGuards;
  registry: ParameterRegistry;
  definitions: SearchDefinitions;
  vault: Vault;
  /** Root of the exports' folders. */
  folder: string;
  /** Lines in a file; 100,000 when absent. */
  linesPerFile?: number;
}

/** @throws AbortError as soon as `signal` says so; FhirError for what the caller asked wrongly. */
export async function runExport(
  parts: ExportParts,
  job: ExportJob,
  context: Context,
  { signal, progress }: { signal: AbortSignal; progress(text: string): void },
): Promise<ExportResult> {
  const { request } = job;
  const folder = await freshFolder(parts.folder, job);
  const ndjson: NdjsonFiles = {
    vault: parts.vault,
    fileOf: (name) => exportedFile(parts.folder, job, name),
    linesPerFile: parts.linesPerFile ?? linesPerFile,
  };
  const asked = request.types ?? typesOfLevel(request.level);
  const auditEvents = asked === undefined || asked.includes('AuditEvent');
  const result = await withSnapshot(parts, context, { auditEvents }, async (tx, transactionTime) => {
    const present = await typesInUse(tx.sql, context.tenant);
    const { types, withheld } = visible(
      parts,
      context,
      present.filter((type) => asked?.includes(type) ?? true),
    );
    const patients = await patientsWanted(tx, request);
    const files: Pick<ExportResult, 'output' | 'deleted' | 'error'> = { output: [], deleted: [], error: [] };
    let size = 0;
    let lines = 0;
    for (const [index, type] of types.entries()) {
      const isMember =
        request.level === 'system' ? undefined : membershipOf(parts.registry, request.base, type, patients);
      const count = () => {
        signal.throwIfAborted();
        progress(`${index} of ${types.length} types, ${++lines} resources`);
      };
      const queries = request.filters.filter((filter) => filter.type === type).map(({ query }) => query);
      const live = queries.length > 0 ? matchingRows(tx, type, queries, request) : liveRows(tx, type, request);
      const output = await writeAll(ndjson, { stem: type, type }, live, (row) => {
        count();
        if (isMember && !isMember(JSON.parse(row.content))) return undefined;
        return subsetOf(parts, request, type, row);
      });
      files.output.push(...output.files);
      size += output.size;
      // Without `_since` whoever asks has nothing yet that could be gone.
      if (!request.since) continue;
      const gone = deletedRows(tx, type, request);
      const deleted = await writeAll(ndjson, { stem: `deleted-${type}`, type: 'Bundle' }, gone, (row) => {
        count();
        if (isMember && (row.content === '' || !isMember(JSON.parse(row.content)))) return undefined;
        return deletion(type, row.id);
      });
      files.deleted.push(...deleted.files);
    }
    if (withheld.length > 0) files.error.push(...(await writeWithheld(ndjson, withheld)));
    return { transactionTime: transactionTime.toISOString(), ...files, size };
  });
  await flushFolder(folder);
  return result;
}

/** Of the patient's record; undefined: all. */
function typesOfLevel(level: ExportRequest['level']): ResourceType[] | undefined {
  return level === 'system'
    ? undefined
    : ['Patient', ...compartmentTypes('Patient').filter((type) => type !== 'Patient')];
}

/** Types that are there and may not be seen are left out, and an OperationOutcome among the files says so. */
function visible({ guards }: ExportParts, context: Context, types: readonly ResourceType[]) {
  const withheld = types.filter((type) => !guards.isAllowed(context, { interaction: 'search-type', type }));
  return { types: types.filter((type) => !withheld.includes(type)), withheld };
}

async function patientsWanted(tx: RestTransaction, request: ExportRequest): Promise<Set<string> | undefined> {
  const listed = request.patients && new Set(request.patients);
  if (request.group === undefined) return listed;
  const members = await patientsOf(tx, request.base, request.group);
  return listed ? members.intersection(listed) : members;
}

async function writeAll(
  ndjson: NdjsonFiles,
  { stem, type }: { stem: string; type: string },
  pages: AsyncIterable<readonly ExportRow[]>,
  lineOf: (row: ExportRow) => string | undefined,
) {
  const writer: NdjsonWriter = ndjsonWriter(ndjson, stem, type);
  try {
    for await (const rows of pages) {
      for (const row of rows) {
        const line = lineOf(row);
        if (line !== undefined) await writer.write(line);
      }
    }
    return { files: await writer.end(), size: writer.size };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

function subsetOf({ definitions }: ExportParts, request: ExportRequest, type: ResourceType, row: ExportRow): string {
  const own = request.elements?.flatMap((element) => {
    const [name, inside] = element.split('.') as [string, string?];
    if (inside === undefined) return [name];
    return name === type ? [inside] : [];
  });
  // Elements of other types only: this one is whole.
  if (!own || own.length === 0) return row.content;
  const version = { type, id: row.id, version: 1, updated: new Date(0), deleted: false, text: row.content };
  return subsetText(definitions, version, undefined, own).text;
}

/** https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status: what was deleted, as a transaction that deletes it. */
function deletion(type: ResourceType, id: string): string {
  const entry = [{ request: { method: 'DELETE', url: `${type}/${id}` } }];
  return JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry });
}

async function writeWithheld(ndjson: NdjsonFiles, withheld: readonly ResourceType[]) {
  const outcome: OperationOutcome = {
    resourceType: 'OperationOutcome',
    issue: withheld.map((type) => ({
      severity: 'warning',
      code: 'suppressed',
      diagnostics: `${type} was left out: you may not see it`,
    })),
  };
  const writer = ndjsonWriter(ndjson, 'OperationOutcome', 'OperationOutcome');
  await writer.write(JSON.stringify(outcome));
  return writer.end();
}
