/** One page of a reindex: rows are held, their search values computed anew, and written where they differ. No version is made. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import { parseJson } from '../json/index.ts';
import type { IndexEntry } from '../search/index-values.ts';
import { tableOf } from '../search/scope.ts';
import { type NewRow, rewriteIndex } from '../store/rows.ts';
import { writeIndexState } from './index-state.ts';
import { finishReindexJob, saveProgress, takeReindexJob } from './jobs.ts';

const rowsAtOnce = 64;

export interface StepParts {
  database: Database;
  index(tenant: string, type: string, resource: unknown): IndexEntry;
  orderedKeys(tenant: string, type: string): readonly number[];
  /** True when this node indexes by exactly these definitions. */
  canMake(tenant: string, makes: Readonly<Record<string, string>>): boolean;
  /** See `takeReindexJob`. */
  settleMs: number;
  now(): Date;
}

/** Does a little of a tenant's oldest job. @returns whether there was anything to do: `over` when a job came to its end. */
export function reindexStep(parts: StepParts, tenant: string): Promise<'nothing' | 'more' | 'over'> {
  return parts.database.transaction(tenant, async (sql) => {
    const job = await takeReindexJob(sql, tenant, parts.settleMs);
    // A node with other definitions (an older program during an upgrade) leaves the work to those that have them.
    if (!job || !parts.canMake(tenant, job.makes)) return 'nothing';
    const [type, ...others] = job.types;
    if (type === undefined) {
      await writeIndexState(sql, tenant, job.makes);
      await finishReindexJob(sql, tenant, job.id, parts.now());
      return 'over';
    }
    const rows = await heldRows(sql, tenant, type as ResourceType, job.lastId);
    const made = rows.map((row) => ({ ...row, index: parts.index(tenant, type, parseJson(row.text)) }));
    await rewriteIndex(sql, tenant, made, parts.orderedKeys(tenant, type));
    const last = rows.at(-1);
    const next = last ? { types: job.types, lastId: last.id } : { types: others, lastId: '' };
    await saveProgress(sql, tenant, { id: job.id, ...next }, rows.length);
    return 'more';
  });
}

type HeldRow = Omit<NewRow, 'index'>;

/** The next rows of a type in the order of their ids; writers of them wait for the end of the page. */
async function heldRows(sql: Sql, tenant: string, type: ResourceType, after: string): Promise<HeldRow[]> {
  const { rows } = await sql.query<{ id: string; version: number; updated: Date; content: string }>({
    name: `fhir_reindex_${type}`,
    text: `SELECT id, version, updated, content FROM ${tableOf(type)} WHERE tenant = $1 AND id > $2 AND NOT deleted
      ORDER BY id LIMIT ${rowsAtOnce} FOR UPDATE`,
    values: [tenant, after],
  });
  return rows.map(({ id, version, updated, content }) => ({ type, id, version, updated, text: content }));
}
