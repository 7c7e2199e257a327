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
import { endOfTurn } from './end-of-turn.ts';
import { seenAnd } from './reads.ts';
import { type CurrentRow, storedVersion } from './rows.ts';

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

/** @returns reads of current versions outside transactions, deleted ones included. `type` must be one that is stored. */
export function createGroupRead(database: Database): Read {
  const queues = new Map<string, Waiting[]>();

  async function send({ tenant, rows: seen }: Scope, type: ResourceType, batch: readonly Waiting[]): Promise<void> {
    try {
      const values = createSqlValues(tenant, [...new Set(batch.map(({ id }) => id))]);
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

  /** One statement at a time: more on their way would each carry less. What arrives in one turn of the event loop goes together. */
  async function work(key: string, scope: Scope, type: ResourceType, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      await endOfTurn();
      await send(scope, type, queue.splice(0, readsAtOnce));
    }
    queues.delete(key);
  }

  return (scope, type, id) =>
    new Promise((resolve, reject) => {
      const { tenant, rows } = scope;
      const { keys, wholeTypes, narrowing, drafts } = rows?.limits ?? {};
      const key = [tenant, type, keys, wholeTypes, narrowing, drafts].join(' ');
      const waiting = queues.get(key);
      if (waiting) return waiting.push({ id, resolve, reject });
      const queue = [{ id, resolve, reject }];
      queues.set(key, queue);
      void work(key, scope, type, queue);
    });
}
