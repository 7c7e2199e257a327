/**
 * What the FHIR room promises the other rooms: reads and writes inside a tenant's transaction, and the hooks by which access
 * control, audit and the teleradiology domain plug in without being known here.
 */
import type { Readable } from 'node:stream';
import type { Bundle, ExtractResource, OperationOutcome, Parameters, Resource, ResourceType } from '@medplum/fhirtypes';
import type { Scope, Sql } from '../db/index.ts';

/** Who acts. `reference` is a literal reference of the caller's tenant, e.g. `Practitioner/…` or `Device/…`. */
export interface Actor {
  reference: string;
  display: string;
  /** Login or client id, as the account list knows it. */
  account: string;
  kind: 'person' | 'machine' | 'system';
  roles: readonly string[];
  /** Tenant of the account, where it acts in another one. */
  home?: string;
  /** Client (OAuth) through which the actor acts: its own for a machine, an app's for a person. */
  client?: string;
  /** SMART scopes of the token it acts with, which it cannot go beyond; absent when it signed in itself. */
  scopes?: readonly string[];
  /** Id of the only patient its token is about, where the token is about one. */
  patient?: string;
}

/** Part of a tenant's patient data. Other types (directories, definitions) are never limited: `limitedTypes` lists those that are. */
export interface RowScope {
  /**
   * Search values of which a resource must have at least one: a token as `system|code`, a reference as `Type/id`. `_id` with a
   * reference is the resource itself.
   */
  keys: readonly { parameter: string; value: string }[];
  /** Types of which every row is seen. */
  whole: readonly ResourceType[];
  /**
   * Further conditions, by type: lists of search values, of each of which a row must have one, whatever is said above. A limited type
   * that is not in it shows nothing. Absent: none.
   */
  narrowed?: ReadonlyMap<string, readonly RowScope['keys'][]>;
  /** Reports being written are seen, too: DiagnosticReport `registered` and `partial`, and such versions of others. Absent: they are not. */
  drafts?: boolean;
  /** Types of which nothing may be written that is not seen afterwards. Absent: none. */
  kept?: ReadonlySet<string>;
}

/** What of a tenant somebody sees. */
export interface Sight {
  /** Undefined: the whole tenant. What is not seen answers like what does not exist. */
  rows?: RowScope;
  /** Top-level elements, by type, that are left out of everything read and cannot be searched by. */
  hidden?: ReadonlyMap<string, readonly string[]>;
}

/** One request's circumstances: who, in which tenant, when, from where, and what they may see. */
export interface Context extends Sight {
  tenant: string;
  actor: Actor;
  /** Establishments (Organization ids) the actor speaks for: what they write is labelled as theirs. */
  establishments?: readonly string[];
  /** Names the session or token the caller came with, without opening it: what is handed out for it ends with it. */
  credential?: string;
  /** Correlates log lines, AuditEvents and answers (X-Request-Id). */
  requestId: string;
  /**
   * What is being done, for the audit trail: a REST interaction code (`read`, `search-type`, `create`, `transaction`, …), or a
   * qualified name: `operation:Task/$sign`, `hl7v2:ORM^O01`, `dicomweb:stow`, `system:deadline`.
   */
  interaction: string;
  /** Address of the other side, when there is one. */
  network?: string;
  /** Why, where it is not what the actor's role implies: a code of v3 PurposeOfUse, `BTG` for break-glass. */
  purpose?: string;
  now(): Date;
}

/** One resource written by a transaction. */
export interface Change {
  interaction: 'create' | 'update' | 'delete';
  type: ResourceType;
  id: string;
  /** Version now stored, 1 for a create. */
  version: number;
  before?: Resource;
  after?: Resource;
}

/**
 * A running transaction. Reads see its own writes. Everything is validated and indexed on write; hooks run before commit.
 * Every method throws `FhirError`.
 */
export interface FhirTransaction {
  readonly context: Context;
  /** Same connection, the whole tenant whatever the context sees: rooms add their own rows (outbox, due times, messages). */
  readonly sql: Sql;
  /** The same transaction with the whole tenant in sight: for rules that must not depend on who set them off. Hooks are given it. */
  readonly whole: FhirTransaction;
  /** @throws FhirError 404 unknown, 410 deleted. */
  read<K extends ResourceType>(type: K, id: string): Promise<ExtractResource<K>>;
  /** Same, `undefined` when there is none. */
  find<K extends ResourceType>(type: K, id: string): Promise<ExtractResource<K> | undefined>;
  /** Matches of a search in FHIR syntax (`identifier=sys|1&status=active&_sort=-_lastUpdated`), 1,000 at most unless `_count` says less. */
  search<K extends ResourceType>(type: K, query: string): Promise<ExtractResource<K>[]>;
  /** Stores a new resource; an `id` already set is kept (409 when taken), else one is made. */
  create<R extends Resource>(resource: R): Promise<R & { id: string }>;
  /** Conditional create under an advisory lock on (type, criteria): race-free. @throws FhirError 412 when several match. */
  createIfNone<R extends Resource>(
    resource: R,
    criteria: string,
  ): Promise<{ resource: R & { id: string }; created: boolean }>;
  /** Stores the next version (or creates under this id). An identical content still makes a version. @throws FhirError 412 when `ifMatch` differs. */
  update<R extends Resource & { id?: string }>(
    resource: R,
    options?: { ifMatch?: string },
  ): Promise<R & { id: string }>;
  delete(type: ResourceType, id: string): Promise<void>;
  /**
   * Holds a lock named by `key` in this tenant until the end of the transaction. Whoever does not get it in `patienceMs` (15 s when absent), or
   * a row afterwards, has its transaction end with SQLSTATE 55P03 as `code`.
   */
  lock(key: string, options?: { patienceMs?: number }): Promise<void>;
  /**
   * Leaves an entry in the tenant's journal, in the same commit: far cheaper than a resource. What becomes of it is the
   * projection's business (`FhirStore.projectJournal`). JSON values only.
   */
  journal(noted: object): void;
  /** Text of a resource this transaction wrote, exactly as it will be served. */
  writtenText(type: ResourceType, id: string): string | undefined;
  /** Runs after a successful commit (waking a worker); its failure is logged and changes nothing. */
  afterCommit(work: () => void | Promise<void>): void;
  /** Written so far, in order. */
  readonly changes: readonly Change[];
}

/** Runs inside the transaction, once per written resource, after validation and before commit; throwing refuses the write. */
export type ChangeHook = (change: Change, tx: FhirTransaction) => Promise<void> | void;

/**
 * Runs before a resource is validated and stored, with the whole tenant in sight: answers it as it is to be stored, the same object where
 * nothing changes. For elements that the server sets, whatever a client sends; throwing refuses the write.
 */
export type WriteHook = (resource: Resource, tx: FhirTransaction) => Promise<Resource> | Resource;

/** Runs once per transaction that wrote something, last before commit: the audit trail. */
export type CommitHook = (changes: readonly Change[], tx: FhirTransaction) => Promise<void> | void;

/** Handler of `POST [base]/Type/id/$name`, `/Type/$name` or `/$name`. Runs in one transaction when `affectsState`. */
export interface Operation {
  /** Without the `$`. */
  name: string;
  /** Type it is offered on; undefined for the whole system. */
  type?: ResourceType;
  level: 'instance' | 'type' | 'system';
  /** False: also reachable by GET. */
  affectsState: boolean;
  /** Canonical URL of the standard's own OperationDefinition; ours, made from this entry, when absent. */
  definition?: string;
  /**
   * Runs with the whole tenant in sight, once its target was seen by the caller: the rules of a case look at more than the caller
   * may. For operations of an instance only.
   */
  seesWhole?: true;
  /** `_elements` is a parameter of its own, and not a wish about the Bundle it answers. */
  readsElements?: true;
  run(call: OperationCall): Promise<Resource | OperationAnswer>;
  /** Of a type, changing nothing: asked of every tenant of the caller at once at `/t/all/fhir/[type]/$name`. */
  everywhere?: OperationEverywhere;
}

/** What an operation has to say of one tenant. */
export interface TenantAnswer {
  tenant: string;
  /** Service base URL in that tenant. */
  base: string;
}

export interface OperationEverywhere {
  /** Asks one tenant, as the caller is there. */
  ask(call: OperationCall): Promise<TenantAnswer>;
  /**
   * The answers of several tenants as one.
   * @param url of the operation, without a query. @returns with what of each tenant is shown, for its trail.
   */
  answer(
    answers: readonly TenantAnswer[],
    parameters: Parameters,
    url: string,
  ): { bundle: Bundle; shown: ReadonlyMap<string, readonly Resource[]> };
}

/** What an operation answers when a resource with status 200 is not enough ($export, $graphql); told apart by `status`. */
export interface OperationAnswer {
  status: number;
  /** Beside those every answer has. */
  headers?: Readonly<Record<string, string>>;
  /** Served in the format the caller asked for. */
  resource?: Resource;
  /** Or something that is no resource, served as it is. */
  content?: { type: string; body: string | Buffer | Readable };
  /** Stored resources the answer shows, for the audit trail. */
  shown?: readonly Resource[];
}

export interface OperationCall {
  tx: FhirTransaction;
  /** Type in the address, also for operations offered on every type. */
  type?: ResourceType;
  /** Service base URL, without a slash at the end. */
  base: string;
  /** Query of the address as sent, without `?`. */
  query: string;
  /** Header `Prefer` as sent. */
  prefer?: string;
  /** Asks the caller's right to something beyond the operation itself (types a graph or an export reaches). @throws FhirError 403. */
  authorize(request: { interaction: string; type?: string; id?: string; operation?: string }): void;
  /** The same question without a trace, for what the answer merely leaves out. */
  isAllowed(request: { interaction: string; type?: string; id?: string; operation?: string }): boolean;
  /** Id of the instance, for instance-level operations. */
  id?: string;
  /** Body when it is a `Parameters`, or the query's parameters put into one; a body of another type is in `resource`. */
  parameters: Parameters;
  resource?: Resource;
  ifMatch?: string;
}

/** Resources that are made of the journal's entries when their type is read. They are not validated again, and no hook runs. */
export interface JournalProjection {
  type: ResourceType;
  /** Pure: the same entry always makes the same resource. `at` is the instant of the entry. */
  render(noted: object, at: Date): Resource;
  /**
   * Told what was just made, in the transaction that made it; of one tenant one at a time, over all servers, and every row of the
   * journal exactly once. Throwing undoes the making.
   */
  made?(sql: Sql, tenant: string, rows: readonly ProjectedRow[]): Promise<void>;
}

/** A row of the journal and what it was made into, as they are stored. */
export interface ProjectedRow {
  id: string;
  entries: string;
  resources: readonly { id: string; text: string }[];
}

/** The FHIR server without HTTP. */
export interface FhirStore {
  /** Makes a tenant known, whose index is what this program makes from the first resource on; leaves one that is known as it is. */
  addTenant(tenant: string, display: string): Promise<void>;
  /**
   * One transaction; committed when `work` resolves. Where the existence of reference targets is checked, those of AuditEvents are not: the
   * trail also tells who asked for what does not exist, in tenants that have no Device for the platform.
   */
  transaction<T>(context: Context, work: (tx: FhirTransaction) => Promise<T>): Promise<T>;
  /** Reads outside a transaction (no hook, no audit: the caller audits), the whole tenant or what somebody sees of it. */
  read<K extends ResourceType>(tenant: string, type: K, id: string, sight?: Sight): Promise<ExtractResource<K>>;
  search<K extends ResourceType>(tenant: string, type: K, query: string): Promise<ExtractResource<K>[]>;
  /** What a context sees, for statements on tables of other rooms that follow resources (images). */
  scopeOf(context: Pick<Context, 'tenant' | 'rows'>): Scope;
  /** @param types what the hook is about: it is asked about no other; about everything when there are none. */
  beforeWrite(hook: WriteHook, ...types: ResourceType[]): void;
  /** @param types as above. */
  beforeCommit(hook: ChangeHook, ...types: ResourceType[]): void;
  onCommit(hook: CommitHook): void;
  /** Leaves an entry in the journal on its own, together with those of others; resolves once it is durable. JSON values only. */
  journal(tenant: string, noted: object, at: Date): Promise<void>;
  /** Says which type of resource is made of the journal, and how. One room's privilege: the audit trail. */
  projectJournal(projection: JournalProjection): void;
  /** Makes some of the resources the journal stands for, as a search for them would; false when nothing was pending. */
  projectSome(tenant: string): Promise<boolean>;
  registerOperation(operation: Operation): void;
  readonly operations: readonly Operation[];
}

/** A version that was served as it is stored. What a version says never changes, so what was once read of it stays true. */
export interface ServedVersion {
  type: ResourceType;
  id: string;
  version: number;
  /** 1970 of the program's own definitions, which have no versions. */
  updated: Date;
  /** JSON of the resource, as the caller sees it. */
  text: string;
  /** JSON with what the caller does not see of it, hidden elements or those not asked for; absent when that is nothing. */
  whole?: string;
}

/** A read that reached patient data (or could have), told before its answer leaves; or any interaction that was refused. */
export interface ReadAccess {
  /** Resources served, as far as they were read. */
  resources: readonly Resource[];
  /** Further ones, whose content nobody had to read. */
  stored?: readonly ServedVersion[];
  /** The search as sent, when it was one. */
  query?: string;
  /** What was asked for by its address, also when nothing of it was served. */
  target?: { type: string; id?: string };
  outcome: 'success' | 'refused' | 'failed';
  /** Code of the rule that refused. */
  reason?: string;
}

/** What the REST routes ask of the access room. */
export interface FhirGuards {
  /**
   * Identifies the caller; a Fastify request can be given as it is. A cookie on anything but GET, HEAD or OPTIONS (or on a request
   * whose `method` is not given) also needs the header `X-Passerelle` (CSRF). @throws FhirError 401, 403 without that header.
   */
  authenticate(request: {
    headers: Record<string, string | string[] | undefined>;
    ip: string;
    id: string;
    method?: string;
    /** `tenant` of them, when there is one, is the tenant the address names: who calls is told as they are there. */
    params?: unknown;
  }): Promise<Pick<Context, 'tenant' | 'actor' | 'establishments' | 'credential' | keyof Sight>>;
  /**
   * @throws FhirError 403 when this actor may not do this. `type` is undefined for system-level interactions; each entry of a bundle
   * is asked on its own, and so is, as `search-type`, each type that an include, a chain or `_has` names: else a directory search
   * would show patients to who may not see them. `operation` is the name without `$`.
   */
  authorize(context: Context, request: { interaction: string; type?: string; id?: string; operation?: string }): void;
  /**
   * The same question without a trace in the audit trail, for what an answer leaves out by itself: nobody named it, and a record for
   * each of 146 types would bury those that count.
   */
  isAllowed(
    context: Context,
    request: { interaction: string; type?: string; id?: string; operation?: string },
  ): boolean;
  auditRead(context: Context, access: ReadAccess): Promise<void>;
}

/** An error with its HTTP status and its OperationOutcome; adapters map it to AE/AR, SOAP faults or DICOM statuses. */
export class FhirError extends Error {
  override name = 'FhirError';
  readonly status: number;
  readonly outcome: OperationOutcome;

  /**
   * @param code IssueType of FHIR (`not-found`, `invalid`, `conflict`, …).
   * @param expression FHIRPath of the element at fault, or `http.` and the header or parameter, when there is one.
   */
  constructor(
    status: number,
    code: NonNullable<OperationOutcome['issue']>[number]['code'],
    diagnostics: string,
    expression?: string,
  ) {
    super(diagnostics);
    this.status = status;
    this.outcome = {
      resourceType: 'OperationOutcome',
      issue: [{ severity: 'error', code, diagnostics, ...(expression ? { expression: [expression] } : {}) }],
    };
  }

  /** An error with several issues, e.g. from validation. */
  static of(status: number, issues: OperationOutcome['issue']): FhirError {
    const first = issues[0];
    const error = new FhirError(status, first?.code ?? 'exception', first?.diagnostics ?? 'unknown');
    (error as { outcome: OperationOutcome }).outcome = { resourceType: 'OperationOutcome', issue: issues };
    return error;
  }

  /** The same error, said about another place. */
  about(expression: string): FhirError {
    return FhirError.of(
      this.status,
      this.outcome.issue.map((issue) => ({ ...issue, expression: [expression] })),
    );
  }
}

/** FHIRPath of a parameter of an operation, wherever it stands, for errors. */
export function parameterNamed(name: string): string {
  return `Parameters.parameter.where(name = '${name.slice(0, 64).replace(/[\\']/g, '\\$&')}')`;
}
