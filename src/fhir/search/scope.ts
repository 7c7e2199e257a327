/** What every part of a search is given. */
import type { Sql } from '../../db/index.ts';
import type { SearchDefinitions } from '../definitions/search-parameters.ts';
import type { KeyHasher } from './keys.ts';
import type { ParameterRegistry } from './parameters.ts';

/** What searches need beside a connection. */
export interface SearchParts {
  definitions: SearchDefinitions;
  registry: ParameterRegistry;
  hasher: KeyHasher;
}

/** A search's surroundings: connection in the tenant's scope, tenant, and the moment `ap` is relative to. */
export interface SearchScope {
  sql: Sql;
  tenant: string;
  nowMs: number;
}

/** Table of the current versions of a type. `type` must be one of the registry's. */
export function tableOf(type: string): string {
  return `fhir."${type.toLowerCase()}"`;
}
