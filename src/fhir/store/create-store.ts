/** Puts the store together: definitions, index, transactions, group commit. */
import type { ExtractResource, ResourceType } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import { type ChangeHook, type CommitHook, type Context, FhirError, type Operation } from '../contract.ts';
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import { parseJson } from '../json/index.ts';
import { createIndexer, orderedParams } from '../search/index-values.ts';
import { createKeyHasher } from '../search/keys.ts';
import { createMatcher } from '../search/match.ts';
import { createParameterRegistry, type ParameterRegistry } from '../search/parameters.ts';
import type { SearchParts } from '../search/scope.ts';
import { searchResources } from '../search/search.ts';
import { typesTouched } from '../search/types-touched.ts';
import {
  createTerminology,
  type Terminology,
  type TerminologyOptions,
  terminologyOperations,
} from '../terminology/index.ts';
import type { ResourceValidator, RestReads, RestStore, RestTransaction, SearchParameterInfo } from './contract.ts';
import { type CommitItem, createGroupCommit } from './group-commit.ts';
import { createGroupRead } from './group-read.ts';
import { interpretPath } from './interpreter.ts';
import { createProjector, insertJournal, readsAfter, touches } from './journal.ts';
import { journalEntry } from './journal-entry.ts';
import { createReads } from './reads.ts';
import { checkReferences } from './references.ts';
import { batchStatement, fitsOneStatement, insertRows } from './rows.ts';
import { beginTransaction, liveText, type TransactionParts } from './transaction.ts';

export interface StoreOptions {
  database: Database;
  /** Refuse references to resources that do not exist. */
  checkReferences?: boolean;
  validate: ResourceValidator;
  /** Our own FHIR address, without a slash at the end: references by it are local ones to searches. */
  base?: () => string | undefined;
  /** Folder of our own SearchParameters; `fhir-profiles/` when absent. */
  profilesFolder?: string;
  /** Value sets and concept maps of other rooms, known to the terminology beside those of `fhir-profiles/`. */
  terminologyDefinitions?: TerminologyOptions['definitions'];
  /** Told failures of work after a commit. */
  log?: { error(object: object, message: string): void };
}

/** The FHIR store on PostgreSQL. */
export async function createStore(options: StoreOptions): Promise<RestStore> {
  const { database } = options;
  const definitions = loadSearchDefinitions(options.profilesFolder);
  const registry = createParameterRegistry(definitions, interpretPath, options.base);
  const hasher = createKeyHasher();
  const terminology = createTerminology({
    database,
    search: (sql, tenant, type, query) => searchResources(search, { sql, tenant, nowMs: Date.now() }, type, query),
    ...(options.terminologyDefinitions ? { definitions: options.terminologyDefinitions } : {}),
    ...(options.profilesFolder ? { profilesFolder: options.profilesFolder } : {}),
  });
  const search: SearchParts & { terminology: Terminology } = { definitions, registry, hasher, terminology };
  const changeHooks: ChangeHook[] = [];
  const commitHooks: CommitHook[] = [];
  const operations: Operation[] = terminologyOperations(terminology);
  const checksReferences = options.checkReferences ?? false;
  const prepare = { types: registry.types, validate: options.validate, index: createIndexer(registry, hasher) };
  const projector = createProjector(database, prepare);
  const parts: TransactionParts = {
    database,
    search,
    prepare,
    changeHooks,
    commitHooks,
    checksReferences,
    orderedKeys: createOrderedKeys(registry),
    commitTogether: createGroupCommit((tenant, items) => writeBatch(database, tenant, items)),
    projector,
    report: (error, message) => options.log?.error({ err: error }, message),
  };

  async function restTransaction<T>(context: Context, work: (tx: RestTransaction) => Promise<T>): Promise<T> {
    const running = beginTransaction(parts, context);
    try {
      const result = await work(running.tx);
      await running.commit();
      return result;
    } catch (error) {
      await running.rollback(error);
      throw contention(error);
    }
  }

  const pooled = (tenant: string): Sql => ({
    query: ((text: string | { text: string; values?: readonly unknown[] }, values?: readonly unknown[]) =>
      typeof text === 'string' ? database.query(tenant, text, values) : database.query(tenant, text)) as Sql['query'],
  });
  const readTogether = createGroupRead(database);
  const readsOf = new Map<string, RestReads>();
  const reads = (tenant: string): RestReads => {
    let known = readsOf.get(tenant);
    if (!known) {
      known = readsAfter(
        createReads(
          search,
          tenant,
          pooled(tenant),
          () => new Date(),
          (type, id) => readTogether(tenant, type, id),
        ),
        projector,
        () => projector.catchUp(tenant),
      );
      readsOf.set(tenant, known);
    }
    return known;
  };

  return {
    transaction: restTransaction,
    restTransaction,
    reads,
    async read<K extends ResourceType>(tenant: string, type: K, id: string) {
      return parseJson(liveText(type, id, await reads(tenant).readStored(type, id))) as ExtractResource<K>;
    },
    async search<K extends ResourceType>(tenant: string, type: K, query: string) {
      if (touches(projector.type(), type, query)) await projector.catchUp(tenant);
      const scope = { sql: pooled(tenant), tenant, nowMs: Date.now() };
      return (await searchResources(search, scope, type, query)) as ExtractResource<K>[];
    },
    beforeCommit: (hook) => void changeHooks.push(hook),
    onCommit: (hook) => void commitHooks.push(hook),
    journal: (tenant, noted, at) =>
      parts.commitTogether(tenant, { rows: [], references: [], entries: [journalEntry(noted, at)] }),
    projectJournal: projector.project,
    projectSome: projector.step,
    registerOperation: (operation) => void operations.push(operation),
    operations,
    terminology,
    searchParameters: (type) => describeParameters(registry, type),
    createMatcher: createMatcher(search),
    typesTouched: (types, query) => typesTouched(registry, types, query),
    searchIncludes: (type) =>
      [...registry.of(type).values()]
        .filter((parameter) => parameter.type === 'reference')
        .map((parameter) => `${type}:${parameter.code}`)
        .sort(),
  };
}

/** Several transactions' rows: one statement, which commits by itself, wherever possible. */
async function writeBatch(database: Database, tenant: string, items: readonly CommitItem[]): Promise<void> {
  const rows = items.flatMap((item) => item.rows);
  const entries = items.flatMap((item) => item.entries);
  const references = [...new Set(items.flatMap((item) => item.references))];
  if (references.length === 0 && fitsOneStatement(rows)) {
    await database.query(tenant, batchStatement(tenant, rows, entries));
    return;
  }
  await database.transaction(tenant, async (sql) => {
    await insertRows(sql, tenant, rows);
    await insertJournal(sql, tenant, entries);
    await checkReferences(sql, tenant, references);
  });
}

/** SQLSTATE of what trying again helps against: serialization failure, deadlock, a lock held too long. */
const contentionStates: readonly unknown[] = ['40001', '40P01', '55P03'];

/**
 * Two transactions that want each other's rows: PostgreSQL ends one, and its caller can simply try again. The error keeps the
 * SQLSTATE as `code` for those who do.
 */
function contention(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (!contentionStates.includes(code)) return error;
  return Object.assign(new FhirError(409, 'conflict', 'Another change came in between: try again'), {
    code,
    cause: error,
  });
}

function describeParameters(registry: ParameterRegistry, type: string): SearchParameterInfo[] {
  return [...registry.of(type).values()]
    .map(({ code, type: kind, url }) => ({ name: code, type: kind, definition: url }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function createOrderedKeys(registry: ParameterRegistry): (type: string) => readonly number[] {
  const byType = new Map<string, readonly number[]>();
  return (type) => {
    let keys = byType.get(type);
    if (!keys) {
      keys = orderedParams(registry.of(type).values());
      byType.set(type, keys);
    }
    return keys;
  };
}
