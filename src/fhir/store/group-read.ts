/**
 * Group read: reads by id from several callers at the same time share a statement. A read never joins a statement that was sent before
 * it came, so nobody sees less than what was committed when they asked.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Database } from '../../db/index.ts';
import { tableOf } from '../search/scope.ts';
import type { StoredVersion } from './contract.ts';
import { type CurrentRow, storedVersion } from './rows.ts';

/** Statements on their way for one tenant and type: one works while the next fills. */
const statementsInFlight = 2;
const readsAtOnce = 64;

type Read = (tenant: string, type: ResourceType, id: string) => Promise<StoredVersion | undefined>;

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

  async function send(tenant: string, type: ResourceType, batch: readonly Waiting[]): Promise<void> {
    try {
      const { rows } = await database.query<CurrentRow>(tenant, {
        name: `fhir_read_several_${type}`,
        text: `SELECT id, version, updated, deleted, content FROM ${tableOf(type)} WHERE tenant = $1 AND id = ANY ($2::text[])`,
        values: [tenant, batch.map(({ id }) => id)],
      });
      const byId = new Map(rows.map((row) => [row.id, storedVersion(type, row)]));
      for (const { id, resolve } of batch) resolve(byId.get(id));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  function pump(key: string, tenant: string, type: ResourceType, queue: Queue): void {
    while (queue.inFlight < statementsInFlight && queue.waiting.length > 0) {
      queue.inFlight++;
      void send(tenant, type, queue.waiting.splice(0, readsAtOnce)).finally(() => {
        queue.inFlight--;
        if (queue.inFlight === 0 && queue.waiting.length === 0) queues.delete(key);
        else pump(key, tenant, type, queue);
      });
    }
  }

  return (tenant, type, id) =>
    new Promise((resolve, reject) => {
      const key = `${tenant} ${type}`;
      const queue = queues.get(key) ?? { inFlight: 0, waiting: [] };
      queues.set(key, queue);
      queue.waiting.push({ id, resolve, reject });
      pump(key, tenant, type, queue);
    });
}
