/** Puts the store together: definitions, index, transactions, group commit. */
import type { ExtractResource, ResourceType, SearchParameter } from '@medplum/fhirtypes';
import { type Database, DatabaseAway, OutcomeUnknown, type Sql } from '../../db/index.ts';
import {
  type ChangeHook,
  type CommitHook,
  type Context,
  FhirError,
  type Operation,
  type Sight,
  type WriteHook,
} from '../contract.ts';
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import { parseJson } from '../json/index.ts';
import {
  createOwnParameters,
  createReindex,
  definitionHash,
  forgetDisplaced,
  forgetPart,
  hashOf,
} from '../reindex/index.ts';
import { createIndexer, orderedParams } from '../search/index-values.ts';
import { createKeyHasher } from '../search/keys.ts';
import { createMatcher } from '../search/match.ts';
import { createParameterRegistry, type ParameterRegistry } from '../search/parameters.ts';
import { readQuery } from '../search/query.ts';
import type { SearchParts } from '../search/scope.ts';
import { searchResources } from '../search/search.ts';
import { typesTouched } from '../search/types-touched.ts';
import {
  createTerminology,
  type Terminology,
  type TerminologyOptions,
  terminologyOperations,
} from '../terminology/index.ts';
import type {
  ResourceValidator,
  RestReads,
  RestStore,
  RestTransaction,
  SearchPage,
  SearchParameterInfo,
} from './contract.ts';
import { type CommitItem, createGroupCommit } from './group-commit.ts';
import { createGroupRead } from './group-read.ts';
import { createHooks } from './hooks.ts';
import { interpretPath } from './interpreter.ts';
import { createProjector, insertJournal, readsAfter } from './journal.ts';
import { journalEntry } from './journal-entry.ts';
import type { PrepareParts } from './prepare.ts';
import { createReads } from './reads.ts';
import { checkReferences } from './references.ts';
import { batchStatement, fitsOneStatement, insertRows } from './rows.ts';
import { createSights, type StoreSight, wholeSight } from './sight.ts';
import { beginTransaction } from './transaction.ts';
import type { TransactionParts } from './transaction-parts.ts';
import { liveText } from './transaction-view.ts';

export interface StoreOptions {
  database: Database;
  /** Refuse references to resources that do not exist. */
  checkReferences?: boolean;
  validate: ResourceValidator;
  /** Longest time of one search in milliseconds; 10 s when absent. */
  searchTimeoutMs?: number;
  /** Our own FHIR address, without a slash at the end: references by it are local ones to searches. */
  base?: () => string | undefined;
  /** Folder of our own SearchParameters; `fhir-profiles/` when absent. */
  profilesFolder?: string;
  /** Value sets and concept maps of other rooms, known to the terminology beside those of `fhir-profiles/`. */
  terminologyDefinitions?: TerminologyOptions['definitions'];
  /** How long a reindex waits before it begins; for tests. */
  reindexSettleMs?: number;
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
  const search: SearchParts & { terminology: Terminology } = {
    ...{ definitions, registry, hasher, terminology },
    ...(options.searchTimeoutMs === undefined ? {} : { timeoutMs: options.searchTimeoutMs }),
  };
  const writeHooks = createHooks<WriteHook>();
  const changeHooks = createHooks<ChangeHook>();
  const commitHooks: CommitHook[] = [];
  const operations: Operation[] = terminologyOperations(terminology);
  const checksReferences = options.checkReferences ?? false;
  const own = createOwnParameters({
    ...{ database, definitions, registry, interpret: interpretPath },
    ...(options.base ? { base: options.base } : {}),
  });
  const indexing = perRegistry((of) => ({ index: createIndexer(of, hasher), orderedKeys: createOrderedKeys(of) }));
  const searches = new WeakMap<StoreSight, Map<string, SearchParts>>();
  const sightOf = createSights(hasher);
  /** One for each sight of a tenant: its registry changes with the tenant's SearchParameters. */
  const searchOf = (tenant: string, sight: StoreSight = wholeSight): SearchParts =>
    remembered(searches, sight, tenant, () => ({
      ...search,
      get registry() {
        return sight.searchable(own.last(tenant).searching);
      },
    }));
  const prepare: PrepareParts = {
    types: registry.types,
    validate: options.validate,
    base: options.base ?? (() => undefined),
    index: (tenant, type, resource) => indexing(own.last(tenant).indexing).index(tenant, type, resource),
  };
  const orderedKeys = (tenant: string, type: string) => indexing(own.last(tenant).indexing).orderedKeys(type);
  // What is indexed may be more than what can be searched by: asking about more is on the safe side.
  const touched = (tenant: string, types: readonly ResourceType[], query: string) =>
    typesTouched(own.last(tenant).indexing, types, query);
  const projector = createProjector(database, prepare, (tenant, type, query) => {
    // What a resource points to was shown to whoever wrote it: it is made already, and an include waits for nothing.
    const { tested, pointing } = touched(tenant, [type as ResourceType], query);
    return tested.union(pointing);
  });
  changeHooks.add(
    async (change, tx) => {
      tx.afterCommit(() => own.forget(tx.context.tenant));
      const [before, after] = [change.before, change.after] as (SearchParameter | undefined)[];
      const isSame = before && after && hashOf(before) === hashOf(after);
      if (isSame) return;
      const active = [before, after].flatMap((parameter) => (parameter?.status === 'active' ? [parameter] : []));
      await forgetPart(tx.sql, tx.context.tenant, change.id);
      await forgetDisplaced(tx.sql, tx.context.tenant, change.id, active);
    },
    ['SearchParameter'],
  );
  const readTogether = createGroupRead(database);
  const parts: TransactionParts = {
    database,
    searchOf,
    prepare,
    writeHooks,
    changeHooks,
    commitHooks,
    checksReferences,
    orderedKeys,
    commitTogether: createGroupCommit((tenant, items) => writeBatch(database, tenant, items)),
    projector,
    sightOf,
    readBeside: ({ tenant, sight }, type, id) => readTogether({ tenant, rows: sight.rows }, type, id),
    report: (error, message) => options.log?.error({ err: error }, message),
  };

  async function restTransaction<T>(context: Context, work: (tx: RestTransaction) => Promise<T>): Promise<T> {
    const known = own.fresh(context.tenant);
    if (known instanceof Promise) await known;
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

  const pooled = (tenant: string, sight: StoreSight = wholeSight): Sql => {
    const scope = sight.rows ? { tenant, rows: sight.rows.limits } : tenant;
    return {
      query: ((text: string | { text: string; values?: readonly unknown[] }, values?: readonly unknown[]) =>
        typeof text === 'string' ? database.query(scope, text, values) : database.query(scope, text)) as Sql['query'],
    };
  };
  const readsOf = new WeakMap<StoreSight, Map<string, RestReads>>();
  /** A search must not pass for complete while the index it goes by is being made anew. */
  const warned = (tenant: string, types: readonly string[] | undefined, page: SearchPage): SearchPage => {
    const underWay = reindex.underWay(tenant);
    const touched = [...underWay].filter((type) => types === undefined || types.includes(type));
    if (touched.length === 0) return page;
    const diagnostics = `Search values of ${touched.join(', ')} are being computed anew: what new parameters find may be incomplete`;
    return { ...page, warnings: [...page.warnings, { severity: 'warning', code: 'incomplete', diagnostics }] };
  };
  const makeReads = (tenant: string, sight: StoreSight): RestReads => {
    const complete = readsAfter(
      createReads(searchOf(tenant, sight), {
        tenant,
        sql: pooled(tenant, sight),
        now: () => new Date(),
        sight,
        current: (type, id) => readTogether({ tenant, rows: sight.rows }, type, id),
      }),
      (type, query) => projector.isTouched(tenant, type, query),
      () =>
        projector.catchUp(tenant).catch((error: unknown) => {
          throw contention(error);
        }),
      () => own.fresh(tenant),
    );
    return {
      ...complete,
      searchBundle: async (type, query, how) => warned(tenant, [type], await complete.searchBundle(type, query, how)),
      searchSystem: async (types, query, how) => warned(tenant, types, await complete.searchSystem(types, query, how)),
    };
  };
  const reads = (tenant: string, sight: Sight = {}): RestReads => {
    const within = sightOf(tenant, sight);
    return remembered(readsOf, within, tenant, () => makeReads(tenant, within));
  };

  const reindex = createReindex({
    ...{ database, registry, own, orderedKeys, operations },
    index: prepare.index,
    program: definitionHash(definitions.types.map((type) => definitions.parameters(type))),
    ...(options.log ? { log: options.log } : {}),
    ...(options.reindexSettleMs === undefined ? {} : { settleMs: options.reindexSettleMs }),
  });

  return {
    async addTenant(tenant, display) {
      if (await database.addTenant(tenant, display)) await reindex.begin(tenant);
    },
    transaction: restTransaction,
    restTransaction,
    reads,
    async read<K extends ResourceType>(tenant: string, type: K, id: string, sight?: Sight) {
      return parseJson(liveText(type, id, await reads(tenant, sight).readStored(type, id))) as ExtractResource<K>;
    },
    async search<K extends ResourceType>(tenant: string, type: K, query: string) {
      await own.fresh(tenant);
      if (projector.isTouched(tenant, type, query)) await projector.catchUp(tenant);
      const scope = { sql: pooled(tenant), tenant, nowMs: Date.now() };
      return (await searchResources(searchOf(tenant), scope, type, query)) as ExtractResource<K>[];
    },
    scopeOf({ tenant, rows }) {
      const seen = rows && sightOf(tenant, { rows }).rows;
      return seen ? { tenant, rows: seen.limits } : tenant;
    },
    beforeWrite: (hook, ...types) => writeHooks.add(hook, types),
    beforeCommit: (hook, ...types) => changeHooks.add(hook, types),
    onCommit: (hook) => void commitHooks.push(hook),
    journal: (tenant, noted, at) =>
      parts.commitTogether(tenant, { rows: [], references: [], entries: [journalEntry(tenant, noted, at)] }),
    projectJournal: projector.project,
    projectSome: projector.step,
    registerOperation: (operation) => void operations.push(operation),
    operations,
    terminology,
    searchParameters: (type) => describeParameters(registry, type),
    createMatcher: createMatcher(search),
    typesTouched: (types, query, tenant) => touched(tenant, types, query),
    requireSearchable(tenant, sight, type, query) {
      readQuery(searchOf(tenant, sightOf(tenant, sight)).registry, [type], query, 'strict');
    },
    parametersKnown(tenant) {
      const known = own.fresh(tenant);
      return known instanceof Promise ? known : undefined;
    },
    reindex,
  };
}

/** Several transactions' rows: one statement, which commits by itself, wherever possible. */
async function writeBatch(database: Database, tenant: string, items: readonly CommitItem[]): Promise<void> {
  const rows = items.flatMap((item) => item.rows);
  const entries = items.flatMap((item) => item.entries);
  const references = [...new Set(items.flatMap((item) => item.references))];
  if (references.length === 0 && fitsOneStatement(rows)) {
    await database.query(tenant, batchStatement(tenant, rows, entries)).catch((error: unknown) => {
      // It commits by itself: sent and not answered, nobody knows.
      throw error instanceof DatabaseAway && error.wasAsked ? new OutcomeUnknown(error) : error;
    });
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

/** Something made once for each sight of a tenant, as long as somebody has that sight. */
function remembered<T>(
  known: WeakMap<StoreSight, Map<string, T>>,
  sight: StoreSight,
  tenant: string,
  make: () => T,
): T {
  let byTenant = known.get(sight);
  if (!byTenant) {
    byTenant = new Map();
    known.set(sight, byTenant);
  }
  let made = byTenant.get(tenant);
  if (made === undefined) {
    made = make();
    byTenant.set(tenant, made);
  }
  return made;
}

/** Something made once for each registry: most tenants share the program's. */
function perRegistry<T>(make: (registry: ParameterRegistry) => T): (registry: ParameterRegistry) => T {
  const made = new WeakMap<ParameterRegistry, T>();
  return (registry) => {
    let known = made.get(registry);
    if (known === undefined) {
      known = make(registry);
      made.set(registry, known);
    }
    return known;
  };
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
