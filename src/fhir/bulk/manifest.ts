/** What a finished job answers (https://hl7.org/fhir/uv/bulkdata/export.html#response---complete-status). */
import type { ExportedFile, ExportJob, ImportJob, Job } from './job.ts';

export const statusPath = '$bulk-status';
export const filePath = '$bulk-file';
/** Name under which the refused lines of an import are fetched. */
export const issuesFile = 'issues.ndjson';

export function statusUrl(base: string, id: string): string {
  return `${base}/${statusPath}/${id}`;
}

/** `undefined` as long as there is no result. */
export function manifestOf(job: Job): object | undefined {
  if (job.state !== 'done') return undefined;
  return job.kind === 'export' ? exportManifest(job) : importManifest(job);
}

function exportManifest({ id, request, result }: ExportJob): object {
  const { transactionTime, output, deleted, error } = result!;
  const list = (files: readonly ExportedFile[]) =>
    files.map(({ name, type, count }) => ({ type, url: `${request.base}/${filePath}/${id}/${name}`, count }));
  return {
    transactionTime,
    request: request.url,
    requiresAccessToken: true,
    output: list(output),
    deleted: list(deleted),
    error: list(error),
  };
}

/** Same shape; `outcome` counts the lines by what became of them. */
function importManifest({ id, request, requestedAt, result }: ImportJob): object {
  const { refused } = result!;
  const url = `${request.base}/${filePath}/${id}/${issuesFile}`;
  return {
    transactionTime: requestedAt.toISOString(),
    request: request.url,
    requiresAccessToken: true,
    output: [],
    error: refused > 0 ? [{ type: 'OperationOutcome', url, count: refused }] : [],
    outcome: result,
  };
}
