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
  /** By what is seen of a tenant: the same object for everybody who sees the same, or the tenant's name for who sees all of it. */
  const queues = new Map<SeenRows | string, Map<ResourceType, Waiting[]>>();

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
  async function work(scope: Scope, type: ResourceType, byType: Map<ResourceType, Waiting[]>): Promise<void> {
    const queue = byType.get(type)!;
    while (queue.length > 0) {
      await endOfTurn();
      await send(scope, type, queue.splice(0, readsAtOnce));
    }
    // In the same breath: whoever came in between would wait for a statement that nobody sends.
    byType.delete(type);
    if (byType.size === 0) queues.delete(sightOf(scope));
  }

  return (scope, type, id) =>
    new Promise((resolve, reject) => {
      const byType = queues.get(sightOf(scope)) ?? new Map<ResourceType, Waiting[]>();
      const waiting = byType.get(type);
      if (waiting) return waiting.push({ id, resolve, reject });
      queues.set(sightOf(scope), byType.set(type, [{ id, resolve, reject }]));
      void work(scope, type, byType);
    });
}

const sightOf = ({ rows, tenant }: Scope) => rows ?? tenant;
