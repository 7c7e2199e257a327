/** The worklist: where each open case stands, for everybody and for who looks (WF-11, docs/worklist.md). */
import type { Task } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import type { Operation } from '../../fhir/index.ts';
import { kindOf } from '../kinds/index.ts';
import { workOf } from './open-case.ts';
import { worklistOperation } from './operation.ts';
import { placeOf } from './place.ts';
import { createProjection } from './projection.ts';
import { type RemakeRoom, remakeWhereNeeded, rulesText } from './remake.ts';
import { loadSubSpecialties } from './sub-specialty.ts';
import { keepRow, type RequestTraits } from './table.ts';

export interface Worklist {
  operation: Operation;
  /** Makes the rows of older cases where they are missing, resolves when done or stopped; looks again for tenants that are added. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** One statement for each tenant that is made already. */
const lookAgainMs = 60_000;

/** Keeps the places of cases from now on. */
export function createWorklist(room: RemakeRoom): Worklist {
  const subSpecialties = loadSubSpecialties();
  room.store.onCommit(createProjection(subSpecialties));
  let stopped = false;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const run = async (): Promise<void> => {
    try {
      await remakeWhereNeeded(room, subSpecialties, () => stopped);
    } catch (error) {
      room.log.error({ err: error }, 'the worklist could not be made anew');
    }
    if (stopped) return;
    timer = setTimeout(() => {
      running = run();
    }, lookAgainMs);
    timer.unref();
  };
  return {
    operation: worklistOperation(subSpecialties, rulesText(subSpecialties)),
    start() {
      stopped = false;
      running = run();
      return running;
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/**
 * Puts a case where it stands by its Task alone, for whoever fills a database past the store. A case that waits for nobody has no place.
 */
export async function keepPlace(
  sql: Sql,
  tenant: string,
  task: Task & { id: string },
  establishment: string,
  traits: RequestTraits,
): Promise<void> {
  const work = workOf(task, []);
  if (work === undefined) return;
  const open = {
    ...work,
    ...traits,
    caseId: task.id,
    kind: kindOf(task).code,
    urgent: task.priority !== 'routine',
    establishment,
    aiWeightMinutes: 0,
  };
  await keepRow(sql, tenant, open, placeOf(open));
}
