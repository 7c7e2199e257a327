/** Makes the rows of a tenant anew when the rules they were made by are not today's, or when there was no table yet. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../config/index.ts';
import type { Database } from '../../db/index.ts';
import { type FhirStore, readsOf, systemContext } from '../../fhir/index.ts';
import { codeSystem } from '../codes.ts';
import type { Log } from '../room.ts';
import type { CaseTask } from '../shell/case-task.ts';
import { project } from './projection.ts';
import type { SubSpecialties } from './sub-specialty.ts';
import { keepRules, rulesOf } from './table.ts';

/** Counts up with every change of what a row holds. */
const layout = 1;
/** Cases in one transaction: each is locked, and whoever works on it waits. */
const batch = 50;

export function rulesText(subSpecialties: SubSpecialties): string {
  return createHash('sha256').update(`${layout}\n${subSpecialties.version}`).digest('base64url');
}

export interface RemakeRoom {
  database: Database;
  store: FhirStore;
  clock: Clock;
  log: Log;
}

/** @param stopped asked between batches. */
export async function remakeWhereNeeded(
  { database, store, clock, log }: RemakeRoom,
  subSpecialties: SubSpecialties,
  stopped: () => boolean,
): Promise<void> {
  const rules = rulesText(subSpecialties);
  for (const tenant of await database.tenants()) {
    if ((await database.transaction(tenant, (sql) => rulesOf(sql, tenant))) === rules) continue;
    let next: string | undefined = openCases;
    let cases = 0;
    while (next !== undefined) {
      if (stopped()) return;
      const query: string = next;
      next = await store.transaction(systemContext(tenant, 'system:worklist', clock), async (tx) => {
        const page = await readsOf({ tx }).searchBundle('Task', query);
        const ids = page.matches.map(({ id }) => id).toSorted();
        for (const id of ids) await tx.lock(`case:${id}`);
        for (const id of ids) await project(tx, subSpecialties, (await tx.read('Task', id)) as CaseTask, true);
        cases += ids.length;
        return page.next;
      });
    }
    await database.transaction(tenant, (sql) => keepRules(sql, tenant, rules));
    if (cases > 0) log.info({ tenant, cases }, 'the worklist was made anew');
  }
}

const openStatuses = 'requested,received,accepted,ready,in-progress,on-hold,completed';
/** Everything that may still wait for somebody: a signed case may wait for its second reader. */
const openCases = `code=${encodeURIComponent(`${codeSystem.taskCode}|teleradiology-case`)}&status=${openStatuses}&_count=${batch}`;
