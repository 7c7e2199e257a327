/** One interaction asked for, over HTTP or as an entry of a Bundle, and its answer: the shapes every interaction works on. */
import type { CapabilityStatement, ResourceType } from '@medplum/fhirtypes';
import type { Clock } from '../../config/index.ts';
import type { Context, FhirGuards, OperationAnswer, ReadAccess } from '../contract.ts';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import type { RestReads, RestStore, RestTransaction } from '../store/contract.ts';
import type { Artefacts } from './artefacts.ts';

/** What the routes were given, and what was read once for all of them. */
export interface Service {
  store: RestStore;
  guards: FhirGuards;
  clock: Clock;
  log: Log;
  artefacts: Artefacts;
  searchDefinitions: SearchDefinitions;
  /** The CapabilityStatement last made, for this base and so many operations: anybody may ask, and making it takes milliseconds. */
  statement: { base?: string; operations?: number; text?: string };
  /** Adds to the CapabilityStatement what is served beside the routes. */
  describe?(statement: CapabilityStatement): void;
  /** Every address, and what an address means. @throws FhirError 404, 405. */
  routes: readonly Route[];
  resolve(method: string, path: string): { interaction: Interaction; address: Address };
}

/** The part of a pino logger used here. */
export interface Log {
  error(details: object, message: string): void;
}

/** What the segments of an address name. */
export type Address = Pick<Call, 'type' | 'id' | 'versionId' | 'operation' | 'compartment'>;

export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Segments below the base: a name is itself, `:type :id :versionId :compartment :member` are values, `$` an operation. */
  path: string;
  interaction: Interaction;
}

/** Preconditions of a request (https://hl7.org/fhir/R4/http.html#concurrency), as sent. */
export interface Conditions {
  ifMatch?: string;
  ifNoneMatch?: string;
  ifNoneExist?: string;
  ifModifiedSince?: string;
}

/** The header `Prefer` (https://hl7.org/fhir/R4/http.html#ops). */
export interface Preferences {
  /** As sent: operations read further preferences (`respond-async`). */
  text?: string;
  return?: 'minimal' | 'representation' | 'OperationOutcome';
  handling?: 'strict' | 'lenient';
}

export interface Call {
  context: Context;
  /** Service base URL, without a slash at the end. */
  base: string;
  type?: ResourceType;
  id?: string;
  versionId?: string;
  /** Name of an operation, without `$`. */
  operation?: string;
  /** Compartment a search stays in; `type` is then the type searched, undefined for all of them. */
  compartment?: { type: ResourceType; id: string };
  /** Query as sent, URL-encoded, without `?`, `_format` and `_pretty`; with the body of a POST _search. */
  query: string;
  conditions: Conditions;
  prefer: Preferences;
  /** Parsed, as if it had come as JSON. */
  body?: unknown;
}

/** The version of a resource an answer is about: ETag, Last-Modified, Location. */
export interface AnsweredVersion {
  type: ResourceType;
  id: string;
  versionId: string;
  updated: Date;
}

export interface Answer {
  status: number;
  /** JSON of the resource served; absent when there is none. */
  body?: string;
  /** Something served that is no resource. */
  content?: OperationAnswer['content'];
  /** Beside those every answer has. */
  headers?: Readonly<Record<string, string>>;
  version?: AnsweredVersion;
  /** The interaction wrote `version`: its Location is told, and `Prefer` decides about the body. */
  isWrite?: true;
  /** Stored resources the answer shows, for the audit trail; writes are audited by the store. */
  read?: Pick<ReadAccess, 'resources' | 'stored' | 'query'>;
}

/** Only reads: runs on the database as it is, or inside a transaction Bundle. */
export interface ReadInteraction {
  access: 'read';
  /** Code of https://hl7.org/fhir/R4/valueset-restful-interaction.html, what guards and the audit trail are told. */
  code: string;
  /** It asks the guards itself, type by type, instead of once for all. */
  asksByType?: true;
  run(call: Call, reads: RestReads, service: Service): Promise<Answer>;
}

/** Runs in a transaction: one of its own, or that of the Bundle. */
export interface WriteInteraction {
  access: 'write';
  code: string;
  run(call: Call, tx: RestTransaction, service: Service): Promise<Answer>;
}

/** Answers by itself: batch and transaction, and what needs no store. */
export interface SystemInteraction {
  access: 'system';
  code: string;
  /** No caller is asked for: nothing about patients is told. */
  isPublic?: true;
  run(call: Call, service: Service): Promise<Answer>;
}

export type Interaction = ReadInteraction | WriteInteraction | SystemInteraction;
