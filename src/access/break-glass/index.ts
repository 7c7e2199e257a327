/** Emergency access to records out of sight: opened by an operation, closed by time (docs/access/policy.md). */
import { type Clock, createLoop } from '../../config/index.ts';
import type { FhirStore } from '../../fhir/index.ts';
import { type EndingRooms, tellEnds } from './ending.ts';
import { type BreakGlassRooms, breakGlassOperations } from './operation.ts';

export interface BreakGlassOptions extends EndingRooms, BreakGlassRooms {
  store: FhirStore;
  clock: Clock;
  log?: { error(object: object, message: string): void };
}

export interface BreakGlass {
  /** Tells ends in the background, until `close`. */
  start(): void;
  close(): Promise<void>;
}

const everyMs = 60_000;

/** Registers the operations. */
export function createBreakGlass(options: BreakGlassOptions): BreakGlass {
  for (const operation of breakGlassOperations(options)) options.store.registerOperation(operation);
  const loop = createLoop({
    everyMs,
    round: () => tellEnds(options),
    onFailure: (error) =>
      options.log?.error({ error: (error as Error).name }, 'ends of emergency accesses could not be told'),
  });
  return { start: () => loop.start(), close: loop.stop };
}
