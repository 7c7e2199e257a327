/**
 * Group read: reads by id from several callers at the same time share a statement. A read never joins a statement that was sent before
 * it came, so nobody sees less than what was committed when they asked.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import type { SeenRows } from '../search/row-limits.ts';
import { tableOf } from '../search/scope.ts';
import { createSqlValues } from '../search/sql-values.ts';
import type { StoredVersion } from './contract.ts';
import { seenAnd } from './reads.ts';
import { type CurrentRow, storedVersion } from './rows.ts';

/** Statements on their way for one tenant and type: one works while the next fills. */
const statementsInFlight = 2;
const readsAtOnce = 64;

type Read = (scope: Scope, type: ResourceType, id: string) => Promise<StoredVersion | undefined>;

interface Scope {
  tenant: string;
  rows?: SeenRows | undefined;
}

interface Waiting {
  id: string;
  resolve(version: StoredVersion | undefined): void;
  reject(error: unknown): void;
}

interface Queue {
  inFlight: number;
  waiting: Waiting[];
}

/** @returns reads of current versions outside transactions, deleted ones included. `type` must be one that is stored. */
export function createGroupRead(database: Database): Read {
  const queues = new Map<string, Queue>();

  async function send({ tenant, rows: seen }: Scope, type: ResourceType, batch: readonly Waiting[]): Promise<void> {
    try {
      const values = createSqlValues(
        tenant,
        batch.map(({ id }) => id),
      );
      const condition = seenAnd(seen, type, values);
      const scope = seen ? { tenant, rows: seen.limits } : tenant;
      const { rows } = await database.query<CurrentRow>(scope, {
        name: `fhir_read_several_${type}${condition === '' ? '' : '_seen'}`,
        text: `SELECT id, version, updated, deleted, content FROM ${tableOf(type)} r
          WHERE tenant = $1 AND id = ANY ($2::text[])${condition}`,
        values: values.list,
      });
      const byId = new Map(rows.map((row) => [row.id, storedVersion(type, row)]));
      for (const { id, resolve } of batch) resolve(byId.get(id));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  function pump(key: string, scope: Scope, type: ResourceType, queue: Queue): void {
    while (queue.inFlight < statementsInFlight && queue.waiting.length > 0) {
      queue.inFlight++;
      void send(scope, type, queue.waiting.splice(0, readsAtOnce)).finally(() => {
        queue.inFlight--;
        if (queue.inFlight === 0 && queue.waiting.length === 0) queues.delete(key);
        else pump(key, scope, type, queue);
      });
    }
  }

  return (scope, type, id) =>
    new Promise((resolve, reject) => {
      const { tenant, rows } = scope;
      const { keys, wholeTypes, narrowing, drafts } = rows?.limits ?? {};
      const key = [tenant, type, keys, wholeTypes, narrowing, drafts].join(' ');
      const queue = queues.get(key) ?? { inFlight: 0, waiting: [] };
      queues.set(key, queue);
      queue.waiting.push({ id, resolve, reject });
      pump(key, scope, type, queue);
    });
}
