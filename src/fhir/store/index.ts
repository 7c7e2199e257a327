/** The FHIR store: resources in PostgreSQL, versions, history, search. */
import { validateResource } from '../validation/index.ts';
import type { ResourceValidator, RestStore } from './contract.ts';
import { createStore, type StoreOptions } from './create-store.ts';

/** `validate` replaces the validation of R4 for tests of the store alone. */
export type FhirStoreOptions = Omit<StoreOptions, 'validate'> & { validate?: ResourceValidator };

/** Opens the store on a migrated database. Validates against R4 unless told otherwise. */
export function createFhirStore(options: FhirStoreOptions): Promise<RestStore> {
  return createStore({ validate: validateResource, ...options });
}

export type {
  HistoryOptions,
  HistoryPage,
  HistoryScope,
  RestReads,
  RestStore,
  RestTransaction,
  SearchOptions,
  SearchPage,
  SearchParameterInfo,
  StoredVersion,
} from './contract.ts';
