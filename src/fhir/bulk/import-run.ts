/**
 * One attempt at an import. Lines are stored a batch at a time, each batch in one transaction with the place it brings the job to: an
 * attempt that follows a crash goes on after the last line that was stored, and no line is stored twice.
 */
import type { OperationOutcome, ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { type Context, FhirError, type FhirGuards } from '../contract.ts';
import { isContention, withRetries } from '../rest/attempts.ts';
import type { RestStore, RestTransaction } from '../store/contract.ts';
import { type ImportFiles, type InputLine, linesOf } from './import-input.ts';
import { currentOf, isAlready, nameOf } from './import-known.ts';
import { type Identified, type Reading, readLine } from './import-line.ts';
import type { ImportJob, ImportResult } from './job.ts';
import { moveImport } from './job-table.ts';

/** Of one transaction: few flushes to disk, short locks. */
const batchLines = 200;
const batchBytes = 4 * 1024 ** 2;

export interface ImportParts {
  store: RestStore;
  guards: FhirGuards;
  files: ImportFiles;
}

type Fate = keyof ImportResult;

interface Line extends InputLine {
  number: number;
}

/** Another attempt has the job: what this one does must not be kept. */
class LostError extends Error {
  override name = 'LostError';
}

/**
 * @param contextNow in the name of who began the import, with the rights the account has now: asked before each batch.
 * @throws AbortError as soon as `signal` says so; FhirError 403 when the account has lost the right; 409 for contention that goes on.
 */
export async function runImport(
  parts: ImportParts,
  job: ImportJob,
  contextNow: () => Promise<Context>,
  { signal, progress }: { signal: AbortSignal; progress(text: string): void },
): Promise<ImportResult> {
  let result: ImportResult = job.result ?? { created: 0, updated: 0, unchanged: 0, refused: 0 };
  let number = job.lines;
  const store = async (lines: readonly Line[]) => {
    signal.throwIfAborted();
    const context = await contextNow();
    result = await storeBatch(parts.store, job, context, lines, result, rightToWrite(parts.guards, context));
    progress(`${lines.at(-1)!.number} lines`);
  };
  let batch: Line[] = [];
  let bytes = 0;
  for await (const line of linesOf(parts.files, job, job.position)) {
    batch.push({ ...line, number: ++number });
    bytes += line.data?.length ?? 0;
    if (batch.length < batchLines && bytes < batchBytes) continue;
    await store(batch);
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) await store(batch);
  return result;
}

/** Asked once for a type. */
function rightToWrite(guards: FhirGuards, context: Context): (type: ResourceType) => void {
  const known = new Map<string, unknown>();
  return (type) => {
    if (!known.has(type)) {
      known.set(
        type,
        refusalOf(() => guards.authorize(context, { interaction: 'update', type })),
      );
    }
    const refused = known.get(type);
    if (refused) throw refused;
  };
}

function refusalOf(ask: () => void): unknown {
  try {
    ask();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * A batch that cannot be stored as a whole is stored without the lines that are no valid resources, so that what refers to a later line still
 * finds it; and line by line where that does not do either: one bad line refuses itself and nothing else. That others write the same
 * resources is no fault of a line: it is tried again, and in the end the attempt fails.
 */
async function storeBatch(
  store: RestStore,
  job: ImportJob,
  context: Context,
  lines: readonly Line[],
  before: ImportResult,
  mayWrite: (type: ResourceType) => void,
  validated = false,
): Promise<ImportResult> {
  const reading = { base: job.request.base, mayWrite, validated };
  try {
    return await withRetries(() => store.restTransaction(context, (tx) => storeLines(tx, job, lines, before, reading)));
  } catch (error) {
    if (error instanceof LostError || !isRefusal(error)) throw error;
    const [line, ...more] = lines;
    if (more.length === 0) {
      return withRetries(() => store.restTransaction(context, (tx) => refuseLine(tx, job, line!, before, error)));
    }
    if (!validated) return storeBatch(store, job, context, lines, before, mayWrite, true);
  }
  let result = before;
  for (const line of lines) result = await storeBatch(store, job, context, [line], result, mayWrite);
  return result;
}

/** What is the line's fault and not ours: to be told, and gone past. */
function isRefusal(error: unknown): error is FhirError {
  return error instanceof FhirError && error.status < 500 && !isContention(error);
}

async function storeLines(
  tx: RestTransaction,
  job: ImportJob,
  lines: readonly Line[],
  before: ImportResult,
  reading: Reading,
): Promise<ImportResult> {
  const result = { ...before };
  const read = lines.map((line) => ({ line, resource: readLine(line, reading) }));
  const known = await currentOf(
    tx,
    read.flatMap(({ resource }) => (resource instanceof FhirError ? [] : (resource ?? []))),
  );
  for (const { line, resource } of read) {
    if (resource === undefined) continue;
    if (resource instanceof FhirError) {
      await keepIssue(tx.sql, job, line, resource.outcome);
      result.refused++;
    } else result[await storeOne(tx, resource, known)]++;
  }
  await reach(tx, job, lines.at(-1)!, result);
  return result;
}

async function refuseLine(tx: RestTransaction, job: ImportJob, line: Line, before: ImportResult, error: FhirError) {
  const result = { ...before, refused: before.refused + 1 };
  await keepIssue(tx.sql, job, line, error.outcome);
  await reach(tx, job, line, result);
  return result;
}

async function reach(tx: RestTransaction, job: ImportJob, { end, number }: Line, result: ImportResult): Promise<void> {
  if (!(await moveImport(tx.sql, job, { position: end, lines: number, result }))) throw new LostError();
}

/** Importing what is stored already changes nothing, so that an import can be done again. */
async function storeOne(tx: RestTransaction, resource: Identified, known: Map<string, string>): Promise<Fate> {
  const name = nameOf(resource);
  const before = known.get(name);
  if (before && isAlready(tx.context, before, resource)) return 'unchanged';
  if (before === undefined) await tx.create(resource);
  else await tx.update(resource);
  known.set(name, tx.writtenText(resource.resourceType, resource.id)!);
  return before ? 'updated' : 'created';
}

async function keepIssue(sql: Sql, { tenant, id }: ImportJob, line: Line, outcome: OperationOutcome): Promise<void> {
  const told = { ...outcome, issue: outcome.issue.map((issue) => ({ ...issue, location: [`line ${line.number}`] })) };
  await sql.query('INSERT INTO bulk_import_issue (tenant, job, line, outcome) VALUES ($1, $2, $3, $4)', [
    tenant,
    id,
    line.number,
    JSON.stringify(told),
  ]);
}

/** Outcomes of the refused lines, in their order, a page at a time. */
export async function* issuesOf(
  query: (text: string, values: unknown[]) => Promise<{ rows: { line: string; outcome: string }[] }>,
  { tenant, id }: Pick<ImportJob, 'tenant' | 'id'>,
): AsyncGenerator<string> {
  for (let last = '0'; ; ) {
    const { rows } = await query(
      'SELECT line, outcome FROM bulk_import_issue WHERE tenant = $1 AND job = $2 AND line > $3 ORDER BY line LIMIT 1000',
      [tenant, id, last],
    );
    const end = rows.at(-1);
    if (!end) return;
    yield rows.map(({ outcome }) => `${outcome}\n`).join('');
    last = end.line;
  }
}
