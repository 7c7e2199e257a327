/** What every part of a search is given. */
import type { Resource } from '@medplum/fhirtypes';
import type { Sql } from '../../db/index.ts';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import type { Terminology } from '../terminology/contract.ts';
import { type BoundedSql, boundSql, defaultSearchTimeoutMs } from './deadline.ts';
import type { KeyHasher } from './keys.ts';
import type { ParameterRegistry } from './parameters.ts';
import type { SeenRows } from './row-limits.ts';

/** What searches need beside a connection. */
export interface SearchParts {
  definitions: SearchDefinitions;
  registry: ParameterRegistry;
  hasher: KeyHasher;
  /** Says which codes `:in`, `:above` and `:below` stand for; without it they are refused. */
  terminology?: Terminology;
  /** Longest time of one search in milliseconds; 10 s when absent. */
  timeoutMs?: number;
  /** Most resources at the far end of a link of a chain that are resolved ahead; 5,000 when absent. */
  linkLimit?: number;
}

/** A search's surroundings: connection in the scope of the tenant (and of `rows`), tenant, and the moment `ap` is relative to. */
export interface SearchScope {
  sql: Sql;
  tenant: string;
  nowMs: number;
  /** Undefined: the whole tenant. */
  rows?: SeenRows | undefined;
}

/** One search that is running: no statement of it begins after its time limit. */
export interface RunningSearch extends SearchParts {
  sql: BoundedSql;
  tenant: string;
  nowMs: number;
  rows?: SeenRows | undefined;
  /** Definitions of the program itself, by type, which canonicals may mean as well; none when absent. */
  own?(type: string): readonly Resource[];
}

export function beginSearch(
  parts: SearchParts,
  { sql, tenant, nowMs, rows }: SearchScope,
  { definitions }: { definitions?: RunningSearch['own'] } = {},
): RunningSearch {
  const search = { ...parts, sql: boundSql(sql, parts.timeoutMs ?? defaultSearchTimeoutMs), tenant, nowMs, rows };
  return definitions ? { ...search, own: definitions } : search;
}

/** Table of the current versions of a type. `type` must be one of the registry's. */
export function tableOf(type: string): string {
  return `fhir."${type.toLowerCase()}"`;
}
