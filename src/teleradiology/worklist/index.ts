/** The worklist: where each open case stands, for everybody and for who looks (WF-11, docs/worklist.md). */
import type { Operation } from '../../fhir/index.ts';
import { worklistOperation } from './operation.ts';
import { createProjection } from './projection.ts';
import { type RemakeRoom, remakeWhereNeeded, rulesText } from './remake.ts';
import { loadSubSpecialties } from './sub-specialty.ts';

export interface Worklist {
  operation: Operation;
  /** Makes the rows of older cases where they are missing; resolves when done or stopped. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Keeps the places of cases from now on. */
export function createWorklist(room: RemakeRoom): Worklist {
  const subSpecialties = loadSubSpecialties();
  room.store.onCommit(createProjection(subSpecialties));
  let stopped = false;
  let running: Promise<void> | undefined;
  return {
    operation: worklistOperation(subSpecialties, rulesText(subSpecialties)),
    start() {
      stopped = false;
      running = remakeWhereNeeded(room, subSpecialties, () => stopped).catch((error: unknown) =>
        room.log.error({ err: error }, 'the worklist could not be made anew'),
      );
      return running;
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}
