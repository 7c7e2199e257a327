/**
 * Which Tasks of a transaction the case machine wrote itself. The guard before commit refuses every other change of what belongs
 * to the machine (design §5 rule 4), whoever asks and however it comes.
 */
import type { Task } from '@medplum/fhirtypes';
import { FhirError, type FhirTransaction } from '../../fhir/index.ts';

export interface TaskWrites {
  create<T extends Task & { id: string }>(tx: FhirTransaction, task: T): Promise<T>;
  update<T extends Task & { id: string }>(tx: FhirTransaction, task: T): Promise<T>;
  /** Whether the machine wrote the Task as it stands. */
  ours(tx: FhirTransaction, task: Task): boolean;
}

/** Elements that only the machine writes. */
const owned = [
  'status',
  'businessStatus',
  'statusReason',
  'code',
  'instantiatesCanonical',
  'intent',
  'identifier',
  'groupIdentifier',
  'basedOn',
  'focus',
  'partOf',
  'for',
  'requester',
  'owner',
  'authoredOn',
  'priority',
  'restriction',
  'input',
  'output',
  'extension',
  'description',
  'reasonCode',
  'executionPeriod',
] as const satisfies (keyof Task)[];

/** The machine's elements of a Task, in one comparable string. */
export function ownedPart(task: Task): string {
  return stable(Object.fromEntries(owned.map((name) => [name, task[name]])));
}

/** The client's Task with the machine's elements of the stored one. */
export function withOwnedPart<T extends Task>(task: T, stored: Task): T {
  const merged: Record<string, unknown> = { ...(task as Task) };
  for (const name of owned) {
    if (stored[name] === undefined) delete merged[name];
    else merged[name] = stored[name];
  }
  return merged as unknown as T;
}

export function createTaskWrites(): TaskWrites {
  const written = new WeakMap<FhirTransaction, Map<string, Set<string>>>();
  const remember = (tx: FhirTransaction, task: Task & { id: string }): void => {
    const tasks = written.get(tx) ?? new Map<string, Set<string>>();
    written.set(tx, tasks);
    const versions = tasks.get(task.id) ?? new Set<string>();
    tasks.set(task.id, versions.add(ownedPart(task)));
  };
  return {
    async create(tx, task) {
      remember(tx, task);
      return (await tx.create(task)) as typeof task;
    },
    async update(tx, task) {
      remember(tx, task);
      const ifMatch = task.meta?.versionId;
      try {
        return (await tx.update(task, ifMatch === undefined ? {} : { ifMatch })) as typeof task;
      } catch (error) {
        throw error instanceof FhirError && error.status === 412 ? overtaken() : error;
      }
    },
    ours: (tx, task) =>
      written
        .get(tx)
        ?.get(task.id ?? '')
        ?.has(ownedPart(task)) ?? false,
  };
}

/**
 * A plain update of a client holds the Task and not the lock of its case: what it wrote since the machine read the case is not overwritten by
 * a decision that knew nothing of it. Nothing of the work is kept; it may be done again.
 */
function overtaken(): FhirError {
  const error = FhirError.of(409, [
    {
      severity: 'error',
      code: 'conflict',
      details: { text: 'Le dossier vient de changer : rechargez-le, puis recommencez.' },
      diagnostics: 'the case changed between what was read and what was to be written',
      expression: ['Task'],
    },
  ]);
  return Object.assign(error, { code: serializationFailure });
}

/** SQLSTATE by which contention is told from what is wrong with a request. */
const serializationFailure = '40001';

/** JSON with sorted members: two equal contents give the same text. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable).join()}]`;
  if (value !== null && typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${stable(member)}`).join()}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
