/**
 * What the storage half of the FHIR room offers the REST half, beyond `FhirStore`: resources as the text that is served,
 * versions, history, and searches with everything a searchset Bundle needs.
 */
import type { OperationOutcomeIssue, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import type { Context, FhirStore, FhirTransaction, Sight } from '../contract.ts';
import type { ReindexWorker } from '../reindex/worker.ts';
import type { Place } from '../search/cursor.ts';
import type { SortOrder } from '../search/merge.ts';
import type { SeenRows } from '../search/row-limits.ts';
import type { Terminology } from '../terminology/contract.ts';

/** Checks a resource before it is stored; any issue of severity `error` or `fatal` refuses it. */
export type ResourceValidator = (resource: unknown) => OperationOutcomeIssue[];

/** One version of one resource, as stored. */
export interface StoredVersion {
  type: ResourceType;
  id: string;
  /** `meta.versionId` as a number, from 1. */
  version: number;
  /** `meta.lastUpdated`, millisecond precision. */
  updated: Date;
  /** True for the version a delete made; `text` is empty then. */
  deleted: boolean;
  /** JSON exactly as served, `meta.versionId` and `meta.lastUpdated` included. */
  text: string;
  /** The same before elements were left out of it; for the audit trail, which says whom it is about, and never served. */
  whole?: string;
}

/** Which history: of one resource (type and id), of a type, or of everything. */
export interface HistoryScope {
  type?: ResourceType;
  id?: string;
  /** Of the history of everything, only these types. */
  types?: readonly ResourceType[];
}

export interface HistoryOptions {
  /** Versions on a page, 1 to 1,000; 50 when absent. */
  count?: number;
  /** Only versions stored at or after this instant. */
  since?: Date;
  /** Only versions that were current at some moment of this period, the end excluded. */
  at?: { from: Date; to: Date };
  /** Oldest first; newest first when absent. */
  ascending?: boolean;
  /** `next` of the page before. @throws FhirError 400 when it is none of ours. */
  cursor?: string;
}

/** One page of history. */
export interface HistoryPage {
  /** What made each version: 1 is a `create`, and a `put` one where its id was somebody's choice. */
  entries: (StoredVersion & { interaction: 'create' | 'put' | 'update' | 'delete' })[];
  /** Versions in all, for the history of one resource only (elsewhere counting would read everything). */
  total?: number;
  /** Opaque cursor of the next page, when there is one. */
  next?: string;
}

/** One page of search results. */
export interface SearchPage {
  /** In the order asked for. `text` is subset already when `_summary` or `_elements` asked for it. */
  matches: StoredVersion[];
  /** What `_include` and `_revinclude` brought, without those that are matches. */
  included: StoredVersion[];
  /** Matches in all; present with `_total=accurate|estimate` and `_summary=count` only. */
  total?: number;
  /** Query of the `self` link: the parameters honoured and the place of this page, without `?`; empty when there are none. */
  self: string;
  /** Query of the `first` link: the parameters honoured, without `?`. */
  first: string;
  /** Query of the `next` link, without `?`, when there are more matches. */
  next?: string;
  /** Query of the `previous` link, when there are matches before this page. */
  previous?: string;
  /** What was ignored under lenient handling or cut short: goes into the Bundle as an entry of mode `outcome`. */
  warnings: OperationOutcomeIssue[];
  /** Of a search of one type: what the sort values of each match are, and how they compare (search/merge.ts). */
  order?: readonly SortOrder[];
  places?: readonly Place[];
}

export interface SearchOptions {
  /** `lenient` ignores unknown parameters and says so in `warnings`; `strict`, the default, answers 400 naming them and the known ones. */
  handling?: 'strict' | 'lenient';
  /** `_count` when the query has none; 20 when absent. */
  defaultCount?: number;
  /** Only resources in this compartment, `Patient/[id]` and the like (https://hl7.org/fhir/R4/compartmentdefinition.html). */
  compartment?: { type: ResourceType; id: string };
  /** Matches that are not stored (our own definitions): they come before the others, on the same pages, and are counted. */
  own?: readonly Resource[];
  /** Our own definitions of a type, which canonicals may mean beside those that are stored. */
  definitions?: (type: string) => readonly Resource[];
  /**
   * Types that `_include` and `_revinclude` may bring; every type when absent. The others are left out whether something of them
   * would have come or not: a refusal would tell which.
   */
  mayInclude?: (type: ResourceType) => boolean;
}

/** Reads as the REST routes need them. Same methods outside a transaction (`RestStore.reads(tenant)`) and inside (own writes seen). */
export interface RestReads {
  /** The current version, a deleted one included; `undefined` when the id was never used. */
  readStored(type: ResourceType, id: string): Promise<StoredVersion | undefined>;
  readVersion(type: ResourceType, id: string, version: number): Promise<StoredVersion | undefined>;
  history(scope: HistoryScope, options?: HistoryOptions): Promise<HistoryPage>;
  /** @throws FhirError 400 for what cannot be understood. `query` is URL-encoded, without `?` (a POST _search body as it is). */
  searchBundle(type: ResourceType, query: string, options?: SearchOptions): Promise<SearchPage>;
  /**
   * A search over several types (https://hl7.org/fhir/R4/search.html#all): parameters common to all of them. `types` are the ones
   * the caller may see or asked for by `_type`; undefined for every type the tenant has.
   */
  searchSystem(types: readonly ResourceType[] | undefined, query: string, options?: SearchOptions): Promise<SearchPage>;
  /** Ids matching the criteria of a conditional interaction, two at most; criteria without any search parameter are refused (412). */
  matchIds(type: ResourceType, criteria: string): Promise<string[]>;
}

/** `FhirTransaction` with what REST needs; every transaction of the store is one. */
export interface RestTransaction extends FhirTransaction, RestReads {
  /** For statements of one's own on the tables of resources: a connection that only reads what the context sees, and which rows that is. */
  readonly seen: { sql: Sql; rows?: SeenRows };
  /** Text of a resource without the elements that are hidden from the context. */
  shown(type: ResourceType, text: string): string;
  readonly whole: RestTransaction;
  /** An id that nobody has; what is created under it costs no more than what is created without one. */
  newId(): string;
  /**
   * The current version, a deleted one included, which nobody else can change before the end of the transaction. `shared` when the
   * caller will not change it either: others may hold it so at the same time. @throws FhirError 405 AuditEvent, unless shared.
   */
  lockStored(type: ResourceType, id: string, options?: { shared?: boolean }): Promise<StoredVersion | undefined>;
  /**
   * The one match of criteria, locked as by `lockStored` and matching still under that lock. `forCreate` when the caller creates one
   * if there is none: nobody else who asks so then does. @throws FhirError 412 when several match.
   */
  lockMatch(
    type: ResourceType,
    criteria: string,
    options?: { forCreate?: boolean; shared?: boolean },
  ): Promise<StoredVersion | undefined>;
  /** From now on the journal is not caught up any more: this transaction looks at a picture for which that was done before. */
  keepPicture(): void;
  /** The terminology over this transaction's connection; for validation of codes. */
  terminology(): Terminology | undefined;
  /**
   * Conditional update, under the same lock as `createIfNone`: updates the one match, creates when there is none.
   * @throws FhirError 412 when several match, 400 when the resource carries an id other than the match's.
   */
  updateIfOne<R extends Resource>(
    resource: R,
    criteria: string,
    options?: { ifMatch?: string },
  ): Promise<{ resource: R & { id: string }; created: boolean }>;
}

/** A search parameter as `/metadata` shows it. */
export interface SearchParameterInfo {
  name: string;
  type: 'number' | 'date' | 'string' | 'token' | 'reference' | 'quantity' | 'uri' | 'composite' | 'special';
  /** Canonical URL of the definition. */
  definition?: string;
}

/** Types a search looks into. */
export interface TypesTouched {
  /** Those that must be the caller's to search: types searched, of chains, `_has`, `_filter`, `_list`, and those that includes name. */
  tested: ReadonlySet<string>;
  /** Those that `_revinclude` may bring, because they point to what was found. */
  pointing: ReadonlySet<string>;
}

/** What `createFhirStore` really answers. */
export interface RestStore extends FhirStore {
  /** As `FhirStore.transaction`, with the richer transaction. */
  restTransaction<T>(context: Context, work: (tx: RestTransaction) => Promise<T>): Promise<T>;
  /** Reads outside a transaction, within the sight of a context; the whole tenant when there is none. */
  reads(tenant: string, sight?: Sight): RestReads;
  /** What code systems, value sets and concept maps answer. */
  readonly terminology: Terminology;
  /** Parameters a type can be searched by, sorted by name, `_id` and the like included. */
  searchParameters(type: ResourceType): SearchParameterInfo[];
  /**
   * Types that a search of `types` looks into, for access control.
   * @throws FhirError 400 for a query that cannot be understood; unknown parameters touch nothing.
   */
  typesTouched(types: readonly ResourceType[], query: string, tenant: string): TypesTouched;
  /**
   * Brings up to date which search parameters the tenant has: before `typesTouched` is asked, else a search could know a parameter that
   * the question for its rights did not. Resolved at once when nothing has to be looked up.
   */
  parametersKnown(tenant: string): Promise<unknown> | undefined;
  /** @throws FhirError 400 when a search asks about what is hidden in this sight, or cannot be understood. */
  requireSearchable(tenant: string, sight: Sight, type: ResourceType, query: string): void;
  /** Computes search values anew, in the background once started. */
  readonly reindex: ReindexWorker;
  /** A search asked of one resource in memory. @throws FhirError 400 for what only the database can answer. */
  createMatcher(type: ResourceType, query: string): (resource: Resource) => boolean;
}
