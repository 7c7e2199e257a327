/**
 * Group commit: transactions that only create resources, from several callers of one tenant, share a database transaction and
 * so one flush to disk. Each still succeeds or fails on its own: when a batch fails, its items are replayed alone.
 */
import { isVerdict } from '../../db/index.ts';
import { FhirError } from '../contract.ts';
import { endOfTurn } from './end-of-turn.ts';
import type { JournalEntry } from './journal-entry.ts';
import type { NewRow } from './rows.ts';

export interface CommitItem {
  rows: readonly NewRow[];
  /** Literal references to check, `Type/id`; empty when checking is off. */
  references: readonly string[];
  entries: readonly JournalEntry[];
}

/** Writes items in one database transaction. */
export type WriteBatch = (tenant: string, items: readonly CommitItem[]) => Promise<void>;

interface Waiting {
  item: CommitItem;
  resolve(): void;
  reject(error: unknown): void;
}

/** Of several tenants at once. Of one tenant one batch is on its way while the next fills: more would only make them smaller. */
const batchesInFlight = 4;
const batchRows = 64;
/** Reads leave an entry of the journal and no row. */
const batchItems = 256;
/** Of one tenant; beyond, callers are refused rather than kept for minutes. */
const waitingAtMost = 10_000;

/** @returns a function that resolves once the item is durable. */
export function createGroupCommit(write: WriteBatch): (tenant: string, item: CommitItem) => Promise<void> {
  const queues = new Map<string, Waiting[]>();
  const busy = new Set<string>();
  /** `pump` is about to run. */
  let isDue = false;

  function pump(): void {
    for (const [tenant, queue] of queues) {
      if (busy.size >= batchesInFlight) return;
      if (busy.has(tenant)) continue;
      const batch = takeBatch(queue);
      // A tenant with more waiting goes to the end of the line.
      queues.delete(tenant);
      if (queue.length > 0) queues.set(tenant, queue);
      busy.add(tenant);
      void settle(tenant, batch).finally(() => {
        busy.delete(tenant);
        schedule();
      });
    }
  }

  /** Looks at the end of this turn what can be sent. */
  function schedule(): void {
    if (isDue) return;
    isDue = true;
    void endOfTurn().then(() => {
      isDue = false;
      pump();
    });
  }

  async function settle(tenant: string, batch: readonly Waiting[]): Promise<void> {
    try {
      await write(
        tenant,
        batch.map(({ item }) => item),
      );
      for (const waiting of batch) waiting.resolve();
    } catch (error) {
      if (batch.length > 1 && isOfOneItem(error)) for (const waiting of batch) await settle(tenant, [waiting]);
      else for (const waiting of batch) waiting.reject(error);
    }
  }

  return (tenant, item) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(tenant) ?? [];
      if (queue.length >= waitingAtMost) return reject(new FhirError(503, 'throttled', 'Too many wait to be stored'));
      queue.push({ item, resolve, reject });
      queues.set(tenant, queue);
      schedule();
    });
}

/**
 * True when the statement itself was refused, and nothing of it was kept: then one item may be at fault and the others are not. When
 * the connection was lost, nobody knows whether the batch was kept, and writing it again could write it twice.
 */
function isOfOneItem(error: unknown): boolean {
  return error instanceof FhirError || isVerdict(error);
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let rows = 0;
  let length = 0;
  while (length < queue.length && length < batchItems) {
    rows += queue[length]!.item.rows.length;
    if (length > 0 && rows > batchRows) break;
    length++;
  }
  return queue.splice(0, length);
}
