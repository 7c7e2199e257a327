/** Search values as a write makes them, for those who load millions of rows beside the store (benches). */
import { loadSearchDefinitions } from '../definitions/search-parameters.ts';
import { createIndexer, type IndexEntry } from '../search/index-values.ts';
import { createKeyHasher } from '../search/keys.ts';
import { createParameterRegistry } from '../search/parameters.ts';
import { interpretPath } from './interpreter.ts';

export type SearchValues = (tenant: string, type: string, resource: unknown) => IndexEntry;

/** With the program's own parameters only. */
export function createSearchValues(): SearchValues {
  return createIndexer(createParameterRegistry(loadSearchDefinitions(), interpretPath), createKeyHasher());
}
