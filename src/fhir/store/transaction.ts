/**
 * A transaction of the store. Creates under new ids wait in memory until something has to be read (or the end): a work that only
 * creates then costs one statement, in a batch with others (group-commit.ts). Everything else opens a session at once.
 */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { type Change, type Context, FhirError, type WriteHook } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import { createClaims } from './claims.ts';
import type { RestTransaction } from './contract.ts';
import { insertJournal } from './journal.ts';
import { type JournalEntry, journalEntry } from './journal-entry.ts';
import { labelled, labelsOf } from './labels.ts';
import { newId } from './new-id.ts';
import { checkId, checkResource, newRow, withMeta } from './prepare.ts';
import { checkReferences, literalReferences, UnresolvedReferences } from './references.ts';
import { remains } from './remains.ts';
import { type CurrentRow, deleteRow, insertRowIfFree, insertRows, lockRow, type NewRow, replaceRow } from './rows.ts';
import { openSession, type Session } from './session.ts';
import { type StoreSight, wholeSight } from './sight.ts';
import type { TransactionParts } from './transaction-parts.ts';
import { createView, type ViewParts, versionConflict, versionOf, type WriteOptions } from './transaction-view.ts';

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
  const changes: Change[] = [];
  const written = new Map<string, string>();
  /** What is referred to, as `Type/id`, each with a resource that does: where targets must exist. */
  const references = new Map<string, Resource>();
  /** Written by whoever asked for the transaction, not by rules. */
  const own = new Set<string>();
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
  const sight = parts.sightOf(tenant, context);

  /** The open connection, with everything written so far in it. */
  async function open(): Promise<Session> {
    if (over) throw new Error('The transaction is over');
    session ??= openSession(parts.database, tenant);
    const opened = await session;
    const rows = waiting;
    waiting = [];
    if (rows.length > 0) flushed = flushed.then(() => insertRows(opened.sql, tenant, rows));
    await flushed;
    return opened;
  }
  const connection = async (): Promise<Sql> => (await open()).sql;

  const sql = deferred(connection);
  let keepsPicture = false;
  const catchUp = async () => {
    if (keepsPicture) return;
    // Without a connection yet, the pool's short transactions do it: what they commit is seen here.
    await (session ? parts.projector.catchUpWithin(sql, tenant) : parts.projector.catchUp(tenant));
  };

  async function recordChange(change: Change, by: StoreSight, row?: NewRow): Promise<void> {
    changes.push(change);
    if (row) written.set(`${row.type}/${row.id}`, row.text);
    else written.delete(`${change.type}/${change.id}`);
    if (by.rows) own.add(`${change.type}/${change.id}`);
    const { type, after, before } = change;
    // The trail tells of what does not exist, too.
    const isTrail = type === 'AuditEvent';
    if (after && !isTrail && parts.checksReferences)
      for (const target of literalReferences(after, parts.prepare.types, parts.prepare.base))
        references.set(target, after);
    try {
      if (after && !isTrail && by.rows) await claims.check(after, before, by);
      for (const hook of parts.changeHooks.of(change.type)) {
        const done = hook(change, whole);
        if (done) await done;
      }
    } catch (reason) {
      refusal ??= { reason };
      throw reason;
    }
  }

  /** Current text of a resource, wherever it is. A work that only creates needs no connection for this. */
  async function textOf(type: ResourceType, id: string, by: StoreSight): Promise<string | undefined> {
    const reads = session ? (by.rows ? tx : whole) : undefined;
    const version = await (reads ? reads.readStored(type, id) : parts.readBeside({ tenant, sight: by }, type, id));
    return version && !version.deleted ? version.text : undefined;
  }

  const claims = createClaims({
    ...parts.prepare,
    isPromised: (id) => freshIds.has(id),
    async sees(target) {
      if (own.has(target)) return written.has(target);
      // Rules write what the caller may not see: the database tells, once it has it.
      if (written.has(target)) await open();
      const [type, id] = target.split('/') as [ResourceType, string];
      return (await textOf(type, id, sight)) !== undefined;
    },
  });

  const targets = new Map<string, Promise<readonly string[]>>();
  function labelsOfTarget(reference: string): Promise<readonly string[]> {
    const text = written.get(reference);
    if (text !== undefined) return Promise.resolve(labelsOf(parseJson(text) as Resource));
    const known = targets.get(reference) ?? readLabels(reference);
    targets.set(reference, known);
    return known;
  }
  async function readLabels(reference: string): Promise<readonly string[]> {
    const [type, id] = reference.split('/') as [ResourceType, string];
    if (!parts.prepare.types.has(type)) return [];
    const text = await textOf(type, id, wholeSight);
    return text === undefined ? [] : labelsOf(parseJson(text) as Resource);
  }
  const withOwnLabels = <R extends Resource>(resource: R, by: StoreSight, before?: Resource): R | Promise<R> => {
    // What a caller who sees a part writes with the whole in sight, rules of the server write for them.
    const isOurs = context.actor.kind === 'system' || (by === wholeSight && sight !== wholeSight);
    return labelled(resource, before, context, labelsOfTarget, isOurs);
  };

  /** The resource with what the server sets in it; most types have nothing of that. */
  function completed<R extends Resource>(resource: R): R | Promise<R> {
    const hooks = parts.writeHooks.of(resource?.resourceType);
    return hooks.length === 0 ? resource : completedBy(hooks, resource);
  }
  async function completedBy<R extends Resource>(hooks: readonly WriteHook[], resource: R): Promise<R> {
    let complete: Resource = resource;
    for (const hook of hooks) complete = await hook(complete, whole);
    return complete as R;
  }

  async function create<R extends Resource>(resource: R, by: StoreSight): Promise<R & { id: string }> {
    const type = checkResource(parts.prepare, resource);
    const now = context.now();
    if (resource.id !== undefined && !freshIds.delete(resource.id)) {
      checkId(type, resource.id);
      return write({ ...resource, id: resource.id }, { mustBeNew: true }, by);
    }
    const ours = withOwnLabels(resource, by);
    const whole = withMeta(ours instanceof Promise ? await ours : ours, resource.id ?? newId(now), 1, now);
    const row = newRow(parts.prepare, tenant, whole, 1, now);
    waiting.push(row);
    await recordChange({ interaction: 'create', type, id: whole.id, version: 1, after: whole }, by, row);
    if (by.rows?.isKept(type)) await requireKept(type, whole.id);
    return whole;
  }

  /**
   * Nobody who sees a part only chooses ids: whether somebody else has one must not be told. Asked before any rule is.
   * @throws FhirError 405, 412.
   */
  async function requireSeen(type: ResourceType, id: string, ifMatch: string | undefined, by: StoreSight) {
    if (!by.rows || by.rows.isWhole(type) || freshIds.has(id)) return;
    await open();
    if (await tx.readStored(type, id)) return;
    if (ifMatch !== undefined) throw versionConflict(type, id, ifMatch);
    throw new FhirError(405, 'not-supported', `${type}/${id} does not exist, and ids are given by the server`);
  }

  /** By somebody who sees a part only: what the rules that complete it would look up must be in their sight. */
  async function createSeen<R extends Resource>(resource: R, by: StoreSight): Promise<R & { id: string }> {
    const { resourceType: type, id } = resource;
    if (id !== undefined) await requireSeen(type, id, undefined, by);
    if (parts.writeHooks.of(type).length > 0) await claims.check(resource, undefined, by);
    return create(await completed(resource), by);
  }

  /** Writes under a given id: the first version, or the next one. */
  async function write<R extends Resource>(
    resource: R & { id: string },
    options: WriteOptions,
    by: StoreSight,
  ): Promise<R & { id: string }> {
    const type = resource.resourceType;
    const open = await connection();
    for (;;) {
      const now = context.now();
      const current = options.mustBeNew ? undefined : await lockForWrite(open, type, resource.id);
      if (!current) {
        if (options.ifMatch !== undefined) throw versionConflict(type, resource.id, options.ifMatch);
        if (by.hidden(type).length > 0) checkResource(parts.prepare, resource);
        const whole = withMeta(await withOwnLabels(resource, by), resource.id, 1, now);
        const row = newRow(parts.prepare, tenant, whole, 1, now);
        if (await insertRowIfFree(open, tenant, row)) {
          await recordChange({ interaction: 'create', type, id: whole.id, version: 1, after: whole }, by, row);
          if (by.rows?.isKept(type)) await requireKept(type, whole.id);
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
      return replace(open, resource, current, by);
    }
  }

  async function replace<R extends Resource>(
    open: Sql,
    resource: R & { id: string },
    current: CurrentRow,
    by: StoreSight,
  ): Promise<R & { id: string }> {
    const type = resource.resourceType;
    const version = current.version + 1;
    const before = current.deleted ? undefined : (parseJson(current.content) as Resource);
    const whole = by.restore(resource, before);
    if (by.hidden(type).length > 0) checkResource(parts.prepare, whole);
    const now = laterOf(context.now(), current.updated);
    const after = withMeta(await withOwnLabels(whole, by, before), resource.id, version, now);
    const row = newRow(parts.prepare, tenant, after, version, now);
    await replaceRow(open, tenant, row, parts.orderedKeys(tenant, type));
    const interaction = current.deleted ? 'create' : 'update';
    const change: Change = { interaction, type, id: after.id, version, after, ...(before ? { before } : {}) };
    await recordChange(change, by, row);
    if (by.rows?.isKept(type)) await requireKept(type, after.id);
    return after;
  }

  /** @throws FhirError 403 when what was written is out of the sight of who may write nothing there. */
  async function requireKept(type: ResourceType, id: string): Promise<void> {
    await open();
    if (await tx.readStored(type, id)) return;
    const reason = new FhirError(403, 'forbidden', `${type}: the token does not allow to write what it does not show`);
    refusal ??= { reason };
    throw reason;
  }

  async function remove(type: ResourceType, id: string, by: StoreSight): Promise<void> {
    const open = await connection();
    const current = await lockCurrent(open, type, id);
    if (!current || current.deleted) return;
    const version = current.version + 1;
    const before = parseJson(current.content) as Resource;
    const index = parts.prepare.index(tenant, type, remains(type, id, before));
    const row = { type, id, version, updated: laterOf(context.now(), current.updated), index };
    await deleteRow(open, tenant, row, parts.orderedKeys(tenant, type));
    await recordChange({ interaction: 'delete', type, id, version, before }, by);
  }

  function lockCurrent(open: Sql, type: ResourceType, id: string): Promise<CurrentRow | undefined> {
    // Create, read and search only (design §5 rule 9); the application's role could not lock the row anyway.
    if (type === 'AuditEvent') throw new FhirError(405, 'not-supported', 'AuditEvents are never changed nor deleted');
    return lockRow(open, tenant, type, id);
  }

  /** What a write under a given id finds there; an AuditEvent may be added under an id of one's own, and nothing else. */
  async function lockForWrite(open: Sql, type: ResourceType, id: string): Promise<CurrentRow | undefined> {
    if (type === 'AuditEvent' && !(await whole.readStored(type, id))) return undefined;
    return lockCurrent(open, type, id);
  }

  const parties: ViewParts = {
    ...{ parts, context, changes, written, sql, connection, catchUp, remove, lockCurrent, lockForWrite },
    create(resource, by) {
      if (by.rows) return createSeen(resource, by);
      const complete = completed(resource);
      return complete instanceof Promise ? complete.then((whole) => create(whole, by)) : create(complete, by);
    },
    async write(resource, options, by) {
      await requireSeen(resource.resourceType, resource.id, options.ifMatch, by);
      return write(await completed(resource), options, by);
    },
    limited: (rows) => deferred(async () => (await open()).limited(rows.limits)),
    newId() {
      const id = newId(context.now());
      freshIds.add(id);
      return id;
    },
    keepPicture() {
      keepsPicture = true;
    },
    journal: (noted) => void entries.push(journalEntry(context.tenant, noted, context.now())),
    afterCommit: (work) => void afterwards.push(work),
  };
  const isWhole = sight === wholeSight;
  const whole: RestTransaction = createView(parties, wholeSight);
  const tx: RestTransaction = isWhole ? whole : createView(parties, sight, whole);

  return {
    tx,
    async commit() {
      throwRefusal();
      if (changes.length > 0) {
        const made = [...changes];
        for (const hook of parts.commitHooks) {
          const done = hook(made, whole);
          if (done) await done;
        }
      }
      throwRefusal();
      await claims.confirm();
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

/** A connection that is opened by its first statement. */
function deferred(open: () => Promise<Sql>): Sql {
  return {
    query: ((...args: unknown[]) =>
      open().then((sql) => (sql.query as (...args: unknown[]) => Promise<unknown>)(...args))) as Sql['query'],
  };
}

/** Whether If-Match lets a version through; `*` is any there is (RFC 9110 §13.1.1). */
function isMatched(ifMatch: string, current: CurrentRow): boolean {
  return !current.deleted && (ifMatch.trim() === '*' || versionOf(ifMatch) === current.version);
}

/** Clocks of two nodes may differ: `lastUpdated` never goes back. */
function laterOf(a: Date, b: Date): Date {
  return a.getTime() > b.getTime() ? a : b;
}
