/**
 * The journal: entries that other rooms leave in the commit they tell about (the audit trail), in few bytes, one row per commit.
 * The resources they stand for are made when their type is next read, or in the background (docs/decisions/0011-journal.md).
 */
import type { Resource } from '@medplum/fhirtypes';
import type { Database, Sql } from '../../db/index.ts';
import { FhirError, type JournalProjection } from '../contract.ts';
import { tableOf } from '../search/scope.ts';
import type { RestReads } from './contract.ts';
import { inTurns, mapInTurns } from './in-turns.ts';
import { type JournalEntry, journalRow } from './journal-entry.ts';
import { newRow, type PrepareParts, withMeta } from './prepare.ts';
import { insertRows, type NewRow } from './rows.ts';

/** Longest wait of a search or read for the resources of the journal; after a long burst there can be minutes of them. */
const patienceMs = 10_000;

/** Rows of the journal made into resources by one transaction, and the characters of their entries after which it takes no further one. */
const rowsAtOnce = 50;
const charactersAtOnce = 500_000;

/** Writes entries in the caller's transaction. */
export async function insertJournal(sql: Sql, tenant: string, entries: readonly JournalEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await sql.query({
    name: 'fhir_journal',
    text: `WITH journal AS (INSERT INTO fhir.journal (tenant, id, entries) VALUES ($1, $2, $3))
      INSERT INTO fhir.journal_pending (tenant, id) VALUES ($1, $2)`,
    values: [tenant, ...journalRow(entries)],
  });
}

interface JournalRow {
  id: string;
  entries: string;
}

export interface Projector {
  /** True when answering needs what is made of the journal. */
  isTouched(tenant: string, type: string | undefined, query: string): boolean;
  project(projection: JournalProjection): void;
  /** Makes what is pending, on a connection of its own; callers at the same time share the work. */
  catchUp(tenant: string): Promise<void>;
  /** Makes what is pending inside the caller's transaction. */
  catchUpWithin(sql: Sql, tenant: string): Promise<void>;
  /** Makes some of what is pending. @returns false when nothing was. */
  step(tenant: string): Promise<boolean>;
}

/** Parameters by which a search reaches other types than its own. */
const reaching = /[.]|_has|include|_filter|_list/;

/** @param typesOf types a search looks into beside its own. */
export function createProjector(
  database: Database,
  prepare: PrepareParts,
  typesOf: (tenant: string, type: string, query: string) => ReadonlySet<string>,
): Projector {
  let projection: JournalProjection | undefined;
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  async function stepWithin(sql: Sql, tenant: string): Promise<boolean> {
    // One at a time: two who took pages in each other's way would wait for each other.
    await sql.query("SELECT pg_advisory_xact_lock(hashtext('fhir.journal'), hashtext($1))", [tenant]);
    const { rows: pending } = await sql.query<JournalRow>({
      name: 'fhir_journal_pending',
      // A pending row whose entries are gone is nobody's work: it stays, and tells on whoever removed them.
      text: `SELECT id, entries FROM fhir.journal WHERE tenant = $1 AND id = ANY (ARRAY(
        SELECT p.id FROM fhir.journal_pending p WHERE p.tenant = $1
          AND EXISTS (SELECT FROM fhir.journal j WHERE j.tenant = $1 AND j.id = p.id)
        ORDER BY p.id LIMIT ${rowsAtOnce})) ORDER BY id`,
      values: [tenant],
    });
    if (pending.length === 0) return false;
    const rows = enough(pending);
    // Another node may be at the same rows: whoever removes one makes its resources.
    const { rows: mine } = await sql.query<{ id: string; projected: boolean }>({
      name: 'fhir_journal_take',
      text: 'DELETE FROM fhir.journal_pending WHERE tenant = $1 AND id = ANY ($2::text[]) RETURNING id, projected',
      values: [tenant, rows.map(({ id }) => id)],
    });
    const taken = new Map(mine.map(({ id, projected }) => [id, projected]));
    const own = rows.filter(({ id }) => taken.has(id));
    const fresh = own.filter(({ id }) => !taken.get(id));
    const made = new Map<string, NewRow[]>();
    const othersHeard = inTurns();
    for (const { id, entries } of fresh) made.set(id, await rowsOf(tenant, entries, othersHeard));
    // An entry written twice (its outcome was not known the first time) is one event: its id is the entry's.
    await insertRows(sql, tenant, [...made.values()].flat(), { known: 'left' });
    if (own.length > 0 && projection?.made) {
      const before = await storedTexts(
        sql,
        tenant,
        own.filter(({ id }) => taken.get(id)),
      );
      await projection.made(
        sql,
        tenant,
        own.map(({ id, entries }) => ({
          ...{ id, entries },
          resources: (made.get(id) ?? before.get(id) ?? []).map(({ id, text }) => ({ id, text })),
        })),
      );
    }
    return true;
  }

  /** What rows of the journal had been made into before somebody asked to be told (migrations/0140_audit_chain.sql). */
  async function storedTexts(sql: Sql, tenant: string, rows: readonly { id: string; entries: string }[]) {
    if (rows.length === 0) return new Map<string, { id: string; text: string }[]>();
    const ids = rows.map(({ entries }) => (JSON.parse(entries) as JournalEntry[]).map(([id]) => id));
    const { rows: found } = await sql.query<{ id: string; content: string }>(
      `SELECT id, content FROM ${tableOf(projection!.type)} WHERE tenant = $1 AND id = ANY ($2::text[])`,
      [tenant, ids.flat()],
    );
    const texts = new Map(found.map(({ id, content }) => [id, content]));
    return new Map(
      rows.map(({ id: row }, n) => [
        row,
        ids[n]!.flatMap((id) => (texts.has(id) ? [{ id, text: texts.get(id)! }] : [])),
      ]),
    );
  }

  function rowsOf(tenant: string, text: string, othersHeard: ReturnType<typeof inTurns>): Promise<NewRow[]> {
    const rowOf = ([id, at, noted]: JournalEntry) => {
      const updated = new Date(at);
      const resource: Resource = withMeta(projection!.render(noted, updated), id, 1, updated);
      return newRow(prepare, tenant, resource as Resource & { id: string }, 1, updated);
    };
    return mapInTurns(JSON.parse(text) as JournalEntry[], rowOf, othersHeard);
  }

  async function drain(tenant: string): Promise<void> {
    while (await step(tenant));
  }

  async function step(tenant: string): Promise<boolean> {
    if (!projection || !(await hasPending(database, tenant))) return false;
    return database.transaction(tenant, (sql) => stepWithin(sql, tenant));
  }

  /** Waits for the work so long; it goes on behind a refusal, so that asking again is soon answered. */
  async function within(work: Promise<void>): Promise<void> {
    work.catch(() => undefined);
    const { promise: late, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(tooMuch()), patienceMs);
    await Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  function run(tenant: string): Promise<void> {
    const work = drain(tenant).finally(() => running.delete(tenant));
    running.set(tenant, work);
    return work;
  }

  return {
    isTouched(tenant, type, query) {
      if (!projection) return false;
      if (type === undefined || type === projection.type) return true;
      return query !== '' && reaching.test(decoded(query)) && typesOf(tenant, type, query).has(projection.type);
    },
    project(wanted) {
      projection = wanted;
    },
    catchUp(tenant) {
      if (!projection) return Promise.resolve();
      const current = running.get(tenant);
      if (!current) return within(run(tenant));
      // The run under way may have looked for the last time already: one more, shared by all who wait.
      let following = next.get(tenant);
      if (!following) {
        following = current
          .catch(() => undefined)
          .then(() => {
            next.delete(tenant);
            return run(tenant);
          });
        next.set(tenant, following);
      }
      return within(following);
    },
    async catchUpWithin(sql, tenant) {
      if (!projection) return;
      const begun = performance.now();
      while (await stepWithin(sql, tenant)) if (performance.now() - begun > patienceMs) throw tooMuch();
    },
    step,
  };
}

/** The first of them, as many as one transaction should make; one at least. */
function enough(rows: readonly JournalRow[]): readonly JournalRow[] {
  let characters = 0;
  const end = rows.findIndex(({ entries }) => {
    characters += entries.length;
    return characters > charactersAtOnce;
  });
  return end < 0 ? rows : rows.slice(0, end + 1);
}

function decoded(query: string): string {
  try {
    return decodeURIComponent(query);
  } catch {
    return query;
  }
}

function tooMuch(): FhirError {
  return new FhirError(
    503,
    'transient',
    'The audit trail is catching up with what was done lately: ask again in a moment',
  );
}

/** One look at an index that is nearly always empty. */
async function hasPending(database: Database, tenant: string): Promise<boolean> {
  const { rows } = await database.query(tenant, {
    name: 'fhir_journal_any',
    text: 'SELECT 1 FROM fhir.journal_pending WHERE tenant = $1 LIMIT 1',
    values: [tenant],
  });
  return rows.length > 0;
}

/** Says whether an answer needs the projected type: asked for by its name, or reached; `undefined` stands for every type. */
export type Touch = (type: string | undefined, query: string) => boolean;

/**
 * The same reads, after what they need was brought up to date.
 * @param beforeSearch brings what every search needs.
 */
export function readsAfter(
  reads: RestReads,
  isTouched: Touch,
  catchUp: () => Promise<void>,
  beforeSearch: () => unknown = () => undefined,
): RestReads {
  const first = <T>(type: string | undefined, query: string, work: () => Promise<T>): Promise<T> =>
    isTouched(type, query) ? catchUp().then(work) : work();
  const search = async <T>(types: readonly string[] | undefined, query: string, work: () => Promise<T>): Promise<T> => {
    await beforeSearch();
    const touched = types?.length ? types.find((type) => isTouched(type, query)) : undefined;
    return types?.length && touched === undefined ? work() : first(touched, query, work);
  };
  return {
    readStored: (type, id) => first(type, '', () => reads.readStored(type, id)),
    readVersion: (type, id, version) => first(type, '', () => reads.readVersion(type, id, version)),
    history: (scope, options) => first(scope.type, '', () => reads.history(scope, options)),
    searchBundle: (type, query, options) => search([type], query, () => reads.searchBundle(type, query, options)),
    searchSystem: (types, query, options) => search(types, query, () => reads.searchSystem(types, query, options)),
    matchIds: (type, criteria) => search([type], criteria, () => reads.matchIds(type, criteria)),
  };
}
