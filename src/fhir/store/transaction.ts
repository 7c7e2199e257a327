/**
 * A transaction of the store. Creates under new ids wait in memory until something has to be read (or the end): a work that only
 * creates then costs one statement, in a batch with others (group-commit.ts). Everything else opens a session at once.
 */
import type { ExtractResource, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import { type Change, type ChangeHook, type CommitHook, type Context, FhirError } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { SearchParts } from '../search/scope.ts';
import { searchResources } from '../search/search.ts';
import type { RestTransaction, StoredVersion } from './contract.ts';
import type { CommitItem } from './group-commit.ts';
import { insertJournal, type Projector, readsAfter } from './journal.ts';
import { type JournalEntry, journalEntry } from './journal-entry.ts';
import { createMatching } from './matching.ts';
import { newId } from './new-id.ts';
import { checkId, checkResource, newRow, type PrepareParts, withMeta } from './prepare.ts';
import { createReads, shareRow } from './reads.ts';
import { checkReferences, literalReferences, UnresolvedReferences } from './references.ts';
import {
  type CurrentRow,
  deleteRow,
  insertRowIfFree,
  insertRows,
  lockRow,
  type NewRow,
  replaceRow,
  storedVersion,
} from './rows.ts';
import { openSession, type Session } from './session.ts';

/** What every transaction of a store shares. */
export interface TransactionParts {
  database: Database;
  /** What searches of a tenant need: its own parameters among the others. */
  searchOf(tenant: string): SearchParts;
  prepare: PrepareParts;
  changeHooks: readonly ChangeHook[];
  commitHooks: readonly CommitHook[];
  commitTogether(tenant: string, item: CommitItem): Promise<void>;
  checksReferences: boolean;
  projector: Projector;
  /** Parameters of a type with rows in the tables of ordered values. */
  orderedKeys(tenant: string, type: string): readonly number[];
  /** Told the failures that must not reach the caller. */
  report(error: unknown, message: string): void;
}

const lockTimeoutMs = 15_000;
/** More rows than this would hold up those who wait in the same line. */
const rowsCommittedTogether = 64;

export interface RunningTransaction {
  tx: RestTransaction;
  /** Runs the commit hooks and commits; rejects when nothing was kept. */
  commit(): Promise<void>;
  rollback(reason: unknown): Promise<void>;
}

export function beginTransaction(parts: TransactionParts, context: Context): RunningTransaction {
  const { tenant } = context;
  const search = parts.searchOf(tenant);
  const changes: Change[] = [];
  const written = new Map<string, string>();
  /** What is referred to, as `Type/id`, each with a resource that does. */
  const references = new Map<string, Resource>();
  const afterwards: (() => void | Promise<void>)[] = [];
  /** Ids given out by `newId` and not used yet. */
  const freshIds = new Set<string>();
  let waiting: NewRow[] = [];
  const entries: JournalEntry[] = [];
  let session: Promise<Session> | undefined;
  let flushed: Promise<void> = Promise.resolve();
  // A refused write was already applied in part: whoever catches the refusal must not be able to commit the rest.
  let refusal: { reason: unknown } | undefined;
  let over = false;

  /** The open connection, with everything written so far in it. */
  async function connection(): Promise<Sql> {
    if (over) throw new Error('The transaction is over');
    session ??= openSession(parts.database, tenant);
    const { sql } = await session;
    const rows = waiting;
    waiting = [];
    if (rows.length > 0) flushed = flushed.then(() => insertRows(sql, tenant, rows));
    await flushed;
    return sql;
  }

  const sql: Sql = {
    query: ((...args: unknown[]) =>
      connection().then((open) => (open.query as (...args: unknown[]) => Promise<unknown>)(...args))) as Sql['query'],
  };
  let keepsPicture = false;
  const catchUp = async () => {
    if (keepsPicture) return;
    // Without a connection yet, the pool's short transactions do it: what they commit is seen here.
    await (session ? parts.projector.catchUpWithin(sql, tenant) : parts.projector.catchUp(tenant));
  };
  const reads = readsAfter(
    createReads(search, tenant, sql, () => context.now()),
    (type, query) => parts.projector.isTouched(tenant, type, query),
    catchUp,
  );

  async function recordChange(change: Change, row?: NewRow): Promise<void> {
    changes.push(change);
    if (row) written.set(`${row.type}/${row.id}`, row.text);
    else written.delete(`${change.type}/${change.id}`);
    // The trail tells of what does not exist, too.
    if (parts.checksReferences && change.after && change.type !== 'AuditEvent') {
      const { after } = change;
      for (const target of literalReferences(after, search.registry.types)) references.set(target, after);
    }
    try {
      for (const hook of parts.changeHooks) await hook(change, tx);
    } catch (reason) {
      refusal ??= { reason };
      throw reason;
    }
  }

  async function create<R extends Resource>(resource: R): Promise<R & { id: string }> {
    const type = checkResource(parts.prepare, resource);
    const now = context.now();
    if (resource.id !== undefined && !freshIds.delete(resource.id)) {
      checkId(type, resource.id);
      return write({ ...resource, id: resource.id }, { mustBeNew: true });
    }
    const whole = withMeta(resource, resource.id ?? newId(now), 1, now);
    const row = newRow(parts.prepare, tenant, whole, 1, now);
    waiting.push(row);
    await recordChange({ interaction: 'create', type, id: whole.id, version: 1, after: whole }, row);
    return whole;
  }

  /** Writes under a given id: the first version, or the next one. */
  async function write<R extends Resource>(
    resource: R & { id: string },
    options: { mustBeNew?: boolean; ifMatch?: string },
  ): Promise<R & { id: string }> {
    const type = resource.resourceType;
    const open = await connection();
    for (;;) {
      const now = context.now();
      const current = options.mustBeNew ? undefined : await lockForWrite(open, type, resource.id);
      if (!current) {
        if (options.ifMatch !== undefined) throw versionConflict(type, resource.id, options.ifMatch);
        const whole = withMeta(resource, resource.id, 1, now);
        const row = newRow(parts.prepare, tenant, whole, 1, now);
        if (await insertRowIfFree(open, tenant, row)) {
          await recordChange({ interaction: 'create', type, id: whole.id, version: 1, after: whole }, row);
          return whole;
        }
        // Taken meanwhile, or before. A deleted one may be made again: it goes on where its history ended.
        if (options.mustBeNew) {
          const taken = type === 'AuditEvent' ? { deleted: false } : await lockCurrent(open, type, resource.id);
          if (taken && !taken.deleted) throw new FhirError(409, 'duplicate', `${type}/${resource.id} exists already`);
        }
        options = { ifMatch: options.ifMatch };
        continue;
      }
      if (options.ifMatch !== undefined && !isMatched(options.ifMatch, current)) {
        throw versionConflict(type, resource.id, options.ifMatch);
      }
      return replace(open, resource, current, laterOf(now, current.updated));
    }
  }

  async function replace<R extends Resource>(
    open: Sql,
    resource: R & { id: string },
    current: CurrentRow,
    now: Date,
  ): Promise<R & { id: string }> {
    const type = resource.resourceType;
    const version = current.version + 1;
    const whole = withMeta(resource, resource.id, version, now);
    const row = newRow(parts.prepare, tenant, whole, version, now);
    await replaceRow(open, tenant, row, parts.orderedKeys(tenant, type));
    const before = current.deleted ? undefined : (parseJson(current.content) as Resource);
    const interaction = current.deleted ? 'create' : 'update';
    await recordChange({ interaction, type, id: whole.id, version, after: whole, ...(before ? { before } : {}) }, row);
    return whole;
  }

  function lockCurrent(open: Sql, type: ResourceType, id: string): Promise<CurrentRow | undefined> {
    // Create, read and search only (design §5 rule 9); the application's role could not lock the row anyway.
    if (type === 'AuditEvent') throw new FhirError(405, 'not-supported', 'AuditEvents are never changed nor deleted');
    return lockRow(open, tenant, type, id);
  }

  /** What a write under a given id finds there; an AuditEvent may be added under an id of one's own, and nothing else. */
  async function lockForWrite(open: Sql, type: ResourceType, id: string): Promise<CurrentRow | undefined> {
    if (type === 'AuditEvent' && !(await reads.readStored(type, id))) return undefined;
    return lockCurrent(open, type, id);
  }

  async function lock(key: string): Promise<void> {
    // A bounded wait: whoever holds the lock may itself be waiting for a connection that those who wait for it occupy.
    await sql.query(`SELECT set_config('lock_timeout', $2, true), pg_advisory_xact_lock($1::bigint)`, [
      search.hasher.decimal(`${tenant}\u0001lock\u0001${key}`),
      `${lockTimeoutMs}ms`,
    ]);
  }

  async function find<K extends ResourceType>(type: K, id: string): Promise<ExtractResource<K> | undefined> {
    const version = await reads.readStored(type, id);
    return version && !version.deleted ? (parseJson(version.text) as ExtractResource<K>) : undefined;
  }

  async function lockStored(
    type: ResourceType,
    id: string,
    { shared = false } = {},
  ): Promise<StoredVersion | undefined> {
    // The audit trail never changes: reading it is as good as locking it, and the application's role could not.
    if (shared && type === 'AuditEvent') return reads.readStored(type, id);
    const open = await connection();
    const row = shared ? await shareRow(open, tenant, type, id) : await lockCurrent(open, type, id);
    return row && storedVersion(type, row);
  }

  const { lockMatch, readMatch } = createMatching({ reads, lock, lockStored });

  const tx: RestTransaction = {
    ...reads,
    context,
    sql,
    changes,
    create,
    find,
    lock,
    async read(type, id) {
      const version = await reads.readStored(type, id);
      return parseJson(liveText(type, id, version)) as never;
    },
    async search<K extends ResourceType>(type: K, query: string) {
      if (parts.projector.isTouched(tenant, type, query)) await catchUp();
      const scope = { sql, tenant, nowMs: context.now().getTime() };
      return (await searchResources(search, scope, type, query)) as ExtractResource<K>[];
    },
    newId() {
      const id = newId(context.now());
      freshIds.add(id);
      return id;
    },
    lockStored,
    lockMatch,
    async createIfNone(resource, criteria) {
      const found = await readMatch(resource.resourceType, criteria);
      if (found) return { resource: parseJson(found.text) as never, created: false };
      return { resource: await create(resource), created: true };
    },
    async updateIfOne(resource, criteria, options = {}) {
      const type = checkResource(parts.prepare, resource);
      const found = await lockMatch(type, criteria, { forCreate: true });
      if (!found) {
        if (options.ifMatch !== undefined) throw versionConflict(type, resource.id ?? 'what matches', options.ifMatch);
        return { resource: await create(resource), created: true };
      }
      if (resource.id !== undefined && resource.id !== found.id) {
        throw new FhirError(400, 'invalid', 'The resource has an id other than the one that matches', `${type}.id`);
      }
      return { resource: await write({ ...resource, id: found.id }, options), created: false };
    },
    async update(resource, options = {}) {
      // Whether it may be changed comes before whether it is valid.
      if (resource.resourceType === 'AuditEvent' && resource.id !== undefined)
        await lockForWrite(await connection(), 'AuditEvent', resource.id);
      const type = checkResource(parts.prepare, resource);
      if (resource.id === undefined) throw new FhirError(400, 'required', 'An update needs an id', `${type}.id`);
      checkId(type, resource.id);
      return write({ ...resource, id: resource.id }, options);
    },
    async delete(type, id) {
      const stored = await reads.readStored(type, id);
      if (!stored || stored.deleted) return;
      const open = await connection();
      const current = await lockCurrent(open, type, id);
      if (!current || current.deleted) return;
      const version = current.version + 1;
      const index = parts.prepare.index(tenant, type, { resourceType: type });
      const row = { type, id, version, updated: laterOf(context.now(), current.updated), index };
      await deleteRow(open, tenant, row, parts.orderedKeys(tenant, type));
      await recordChange({ interaction: 'delete', type, id, version, before: parseJson(current.content) as Resource });
    },
    keepPicture() {
      keepsPicture = true;
    },
    journal(noted) {
      entries.push(journalEntry(noted, context.now()));
    },
    afterCommit(work) {
      afterwards.push(work);
    },
    writtenText: (type, id) => written.get(`${type}/${id}`),
    get terminology() {
      return search.terminology?.over(sql);
    },
  };

  return {
    tx,
    async commit() {
      throwRefusal();
      if (changes.length > 0) {
        const made = [...changes];
        for (const hook of parts.commitHooks) await hook(made, tx);
      }
      throwRefusal();
      try {
        await keep();
      } catch (error) {
        throw error instanceof UnresolvedReferences ? new UnresolvedReferences(error.targets, references) : error;
      }
      for (const work of afterwards) {
        // Not awaited by the caller: the commit is done, whatever becomes of this.
        void runQuietly(work);
      }
    },
    async rollback(reason) {
      over = true;
      if (session) await session.then((open) => open.rollback(reason)).catch(() => undefined);
    },
  };

  async function keep(): Promise<void> {
    const targets = [...references.keys()];
    // A large import keeps the line of small commits free by a transaction of its own.
    if (session || waiting.length > rowsCommittedTogether) {
      const open = await connection();
      await insertJournal(open, tenant, entries);
      await checkReferences(open, tenant, targets);
      over = true;
      await (await session!).commit();
    } else {
      over = true;
      if (waiting.length > 0 || entries.length > 0)
        await parts.commitTogether(tenant, { rows: waiting, references: targets, entries });
    }
  }

  async function runQuietly(work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      parts.report(error, 'Work after a commit failed');
    }
  }

  function throwRefusal(): void {
    if (refusal) throw refusal.reason;
  }
}

/** Text of a current version. @throws FhirError 404 unknown, 410 deleted. */
export function liveText(type: string, id: string, version: { deleted: boolean; text: string } | undefined): string {
  if (!version) throw new FhirError(404, 'not-found', `${type}/${id.slice(0, 64)} does not exist`);
  if (version.deleted) throw new FhirError(410, 'deleted', `${type}/${id} was deleted`);
  return version.text;
}

/** Whether If-Match lets a version through; `*` is any there is (RFC 9110 §13.1.1). */
function isMatched(ifMatch: string, current: CurrentRow): boolean {
  return !current.deleted && (ifMatch.trim() === '*' || versionOf(ifMatch) === current.version);
}

/** The version an If-Match header names: `W/"3"`, `"3"` or `3`. */
function versionOf(ifMatch: string): number {
  const match = /^(?:W\/)?"?(\d{1,9})"?$/.exec(ifMatch.trim());
  if (!match) throw new FhirError(400, 'invalid', 'If-Match is not of the form W/"version"');
  return Number(match[1]);
}

function versionConflict(type: string, id: string, ifMatch: string): FhirError {
  if (ifMatch.trim() !== '*') versionOf(ifMatch);
  return new FhirError(412, 'conflict', `${type}/${id} is not at the version If-Match names: read it again`);
}

/** Clocks of two nodes may differ: `lastUpdated` never goes back. */
function laterOf(a: Date, b: Date): Date {
  return a.getTime() > b.getTime() ? a : b;
}
