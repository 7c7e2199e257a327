/**
 * Search values computed anew while the server serves: after a tenant's new SearchParameter (`$reindex`), and by itself when the program came
 * with other definitions than the ones a tenant's index was made with.
 */
import type { Database, Sql } from '../../db/index.ts';
import type { Operation } from '../contract.ts';
import { typesInUse } from '../operations/types-in-use.ts';
import type { IndexEntry } from '../search/index-values.ts';
import type { ParameterRegistry } from '../search/parameters.ts';
import { programPart, readIndexState, writeIndexState } from './index-state.ts';
import { insertReindexJob } from './jobs.ts';
import { reindexOperations } from './operations.ts';
import type { OwnParameters } from './own-parameters.ts';
import { reindexStep } from './step.ts';
import { createReindexWorker, type ReindexWorker } from './worker.ts';

export { definitionHash } from './index-state.ts';
export { forgetDisplaced, forgetPart } from './jobs.ts';
export { createOwnParameters, hashOf } from './own-parameters.ts';

/** To be raised when the code that computes search values changes what it makes of the same definitions. */
const codeVersion = 4;
/** More than twice the time a node believes what it knew of a tenant's parameters (own-parameters.ts). */
const defaultSettleMs = 5_000;

export interface ReindexOptions {
  database: Database;
  registry: ParameterRegistry;
  own: OwnParameters;
  /** Where the operations are added. */
  operations: Operation[];
  index(tenant: string, type: string, resource: unknown): IndexEntry;
  orderedKeys(tenant: string, type: string): readonly number[];
  /** Hash of the program's definitions. */
  program: string;
  now?: () => Date;
  /** How long a job waits for other nodes to know what it knows; 5 s when absent. */
  settleMs?: number;
  log?: { error(object: object, message: string): void };
}

export function createReindex(options: ReindexOptions): ReindexWorker {
  const { database, registry, own, operations, index, orderedKeys, now = () => new Date(), log } = options;
  const settleMs = options.settleMs ?? defaultSettleMs;
  const program = { [programPart]: `${codeVersion} ${options.program}` };

  function canMake(tenant: string, makes: Readonly<Record<string, string>>): boolean {
    const { own: known } = own.last(tenant);
    const hashes: Readonly<Record<string, string>> = {
      ...program,
      ...Object.fromEntries(known.map(({ id, hash }) => [id, hash])),
    };
    return Object.entries(makes).every(([part, hash]) => hashes[part] === hash);
  }

  async function step(tenant: string) {
    await own.fresh(tenant);
    const outcome = await reindexStep({ database, index, orderedKeys, canMake, settleMs, now }, tenant);
    if (outcome === 'over') own.forget(tenant);
    return outcome;
  }

  /** Asks for a reindex of everything when the tenant's index was made with other definitions. */
  async function inspect(tenant: string): Promise<void> {
    const state = await readIndexState(database, tenant);
    if (state.get(programPart) === program[programPart]) return;
    await database.transaction(tenant, async (sql) => {
      await sql.query("SELECT pg_advisory_xact_lock(hashtext('fhir.reindex'), hashtext($1))", [tenant]);
      const { rows } = await sql.query(
        'SELECT 1 FROM fhir.reindex WHERE tenant = $1 AND finished IS NULL AND makes = $2::jsonb',
        [tenant, JSON.stringify(program)],
      );
      if (rows.length > 0) return;
      const types = await rewritableTypes(sql, tenant);
      if (types.length === 0) await writeIndexState(sql, tenant, program);
      else await insertReindexJob(sql, tenant, { now: now(), types, makes: program });
    });
  }

  /** The audit trail is append-only, its search values included: they stay as they were made. */
  async function rewritableTypes(sql: Sql, tenant: string): Promise<string[]> {
    return (await typesInUse(sql, tenant)).filter((type) => type !== 'AuditEvent');
  }

  const worker = createReindexWorker({ database, step, inspect, ...(log ? { log } : {}) });
  operations.push(
    ...reindexOperations({
      parametersOf: async (tenant) => {
        own.forget(tenant);
        return own.fresh(tenant);
      },
      typesInUse: ({ tx }) => rewritableTypes(tx.sql, tx.context.tenant),
      isType: (name) => registry.types.has(name),
      program,
      wake: worker.wake,
    }),
  );
  return worker;
}
