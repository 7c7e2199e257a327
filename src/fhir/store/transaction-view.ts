/**
 * A transaction as somebody sees it: reads and criteria stay within their sight, writes go through the one transaction behind every
 * view of it (transaction.ts).
 */
import type { ExtractResource, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import { type Change, type Context, FhirError } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { SeenRows } from '../search/row-limits.ts';
import { searchResources } from '../search/search.ts';
import type { RestTransaction, StoredVersion } from './contract.ts';
import { readsAfter } from './journal.ts';
import { createMatching } from './matching.ts';
import { checkId, checkResource, checkType } from './prepare.ts';
import { createReads, shareRow } from './reads.ts';
import { type CurrentRow, storedVersion } from './rows.ts';
import type { StoreSight } from './sight.ts';
import type { TransactionParts } from './transaction-parts.ts';

export interface WriteOptions {
  mustBeNew?: boolean;
  ifMatch?: string | undefined;
}

/** What every view of a transaction shares. */
export interface ViewParts extends Pick<RestTransaction, 'newId' | 'keepPicture' | 'journal' | 'afterCommit'> {
  parts: TransactionParts;
  /** As the transaction was asked for. */
  context: Context;
  changes: readonly Change[];
  written: ReadonlyMap<string, string>;
  sql: Sql;
  /** The same connection with limits on rows. */
  limited(rows: SeenRows): Sql;
  connection(): Promise<Sql>;
  catchUp(): Promise<void>;
  create<R extends Resource>(resource: R, by: StoreSight): Promise<R & { id: string }>;
  write<R extends Resource>(
    resource: R & { id: string },
    options: WriteOptions,
    by: StoreSight,
  ): Promise<R & { id: string }>;
  remove(type: ResourceType, id: string, by: StoreSight): Promise<void>;
  lockCurrent(open: Sql, type: ResourceType, id: string): Promise<CurrentRow | undefined>;
  lockForWrite(open: Sql, type: ResourceType, id: string): Promise<CurrentRow | undefined>;
}

const lockTimeoutMs = 15_000;

/** @param whole the view of everything; absent when this is it. */
export function createView(shared: ViewParts, sight: StoreSight, whole?: RestTransaction): RestTransaction {
  const { parts, sql, connection, catchUp, written, newId, keepPicture, journal, afterCommit, changes } = shared;
  const context = whole ? shared.context : unlimited(shared.context);
  const { tenant } = context;
  const search = parts.searchOf(tenant, sight);
  const seenSql = sight.rows ? shared.limited(sight.rows) : sql;
  const reads = readsAfter(
    createReads(search, { tenant, sql: seenSql, now: () => context.now(), sight }),
    (type, query) => parts.projector.isTouched(tenant, type, query),
    catchUp,
  );

  /** What was written, as it is told to whoever wrote it. */
  function told<R extends Resource>(resource: R): R {
    if (sight.hidden(resource.resourceType).length === 0) return resource;
    return sight.restore(resource, undefined);
  }

  function shown(type: ResourceType, text: string): string {
    return sight.show({ type, id: '', version: 0, updated: new Date(0), deleted: false, text }).text;
  }

  async function create<R extends Resource>(resource: R): Promise<R & { id: string }> {
    return told(await shared.create(resource, sight));
  }

  async function write<R extends Resource>(
    resource: R & { id: string },
    options: WriteOptions,
  ): Promise<R & { id: string }> {
    return told(await shared.write(resource, options, sight));
  }

  async function lock(key: string, { patienceMs = lockTimeoutMs } = {}): Promise<void> {
    // A bounded wait: whoever holds the lock may itself be waiting for a connection that those who wait for it occupy.
    await sql.query(`SELECT set_config('lock_timeout', $2, true), pg_advisory_xact_lock($1::bigint)`, [
      search.hasher.decimal(`${tenant}\u0001lock\u0001${key}`),
      `${patienceMs}ms`,
    ]);
  }

  async function lockStored(
    type: ResourceType,
    id: string,
    { shared: isShared = false } = {},
  ): Promise<StoredVersion | undefined> {
    // The audit trail never changes: reading it is as good as locking it, and the application's role could not.
    if (isShared && type === 'AuditEvent') return reads.readStored(type, id);
    if (sight.rows && !(await reads.readStored(type, id))) return undefined;
    const open = await connection();
    const row = isShared ? await shareRow(open, tenant, type, id) : await shared.lockCurrent(open, type, id);
    return row && sight.show(storedVersion(type, row));
  }

  const { lockMatch, readMatch } = createMatching({ reads, lock, lockStored });

  // Values only: an accessor in an object made for every request gives each a hidden class of its own, which V8 keeps, and with it all
  // the request had in its hands, until it collects the old generation.
  const tx: Omit<RestTransaction, 'whole'> & { whole: RestTransaction } = {
    ...reads,
    ...{ context, sql, changes, create, lock, newId, keepPicture, journal, afterCommit, lockStored, lockMatch },
    seen: { sql: seenSql, ...(sight.rows ? { rows: sight.rows } : {}) },
    // Itself where this is the whole (below).
    whole: whole as RestTransaction,
    async find<K extends ResourceType>(type: K, id: string): Promise<ExtractResource<K> | undefined> {
      const version = await reads.readStored(type, id);
      return version && !version.deleted ? (parseJson(version.text) as ExtractResource<K>) : undefined;
    },
    async read(type, id) {
      const version = await reads.readStored(type, id);
      return parseJson(liveText(type, id, version)) as never;
    },
    async search<K extends ResourceType>(type: K, query: string) {
      if (parts.projector.isTouched(tenant, type, query)) await catchUp();
      const scope = { sql: seenSql, tenant, nowMs: context.now().getTime(), rows: sight.rows };
      return (await searchResources(search, scope, type, query)).map(told) as ExtractResource<K>[];
    },
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
        await shared.lockForWrite(await connection(), 'AuditEvent', resource.id);
      // What the caller cannot see comes back before the whole is judged: references to it would seem to lead nowhere.
      const sees = sight.hidden(resource.resourceType).length === 0;
      const type = sees ? checkResource(parts.prepare, resource) : checkType(parts.prepare, resource);
      if (resource.id === undefined) throw new FhirError(400, 'required', 'An update needs an id', `${type}.id`);
      checkId(type, resource.id);
      return write({ ...resource, id: resource.id }, options);
    },
    async delete(type, id) {
      const stored = await reads.readStored(type, id);
      if (stored && !stored.deleted) await shared.remove(type, id, sight);
    },
    shown,
    writtenText(type, id) {
      const text = written.get(`${type}/${id}`);
      return text === undefined ? undefined : shown(type, text);
    },
    terminology: () => search.terminology?.over(sql),
  };
  if (!whole) tx.whole = tx;
  return tx;
}

function unlimited(context: Context): Context {
  if (!context.rows && !context.hidden) return context;
  const { rows: _rows, hidden: _hidden, ...rest } = context;
  return rest;
}

/** Text of a current version. @throws FhirError 404 unknown, 410 deleted. */
export function liveText(type: string, id: string, version: { deleted: boolean; text: string } | undefined): string {
  if (!version) throw new FhirError(404, 'not-found', `${type}/${id.slice(0, 64)} does not exist`);
  if (version.deleted) throw new FhirError(410, 'deleted', `${type}/${id} was deleted`);
  return version.text;
}

/** The version an If-Match header names: `W/"3"`, `"3"` or `3`. */
export function versionOf(ifMatch: string): number {
  const match = /^(?:W\/)?"?(\d{1,9})"?$/.exec(ifMatch.trim());
  if (!match) throw new FhirError(400, 'invalid', 'If-Match is not of the form W/"version"');
  return Number(match[1]);
}

export function versionConflict(type: string, id: string, ifMatch: string): FhirError {
  if (ifMatch.trim() !== '*') versionOf(ifMatch);
  return new FhirError(412, 'conflict', `${type}/${id} is not at the version If-Match names: read it again`);
}
