/** The FHIR store: resources in PostgreSQL, versions, history, search. */
import { validateResource } from '../validation/index.ts';
import { validateAgainstStored } from '../validation/on-write.ts';
import type { ResourceValidator, RestStore, RestTransaction } from './contract.ts';
import { createStore, type StoreOptions } from './create-store.ts';

/** `validate` replaces the validation of R4 for tests of the store alone. */
export type FhirStoreOptions = Omit<StoreOptions, 'validate'> & { validate?: ResourceValidator };

/** Opens the store on a migrated database. Validates against R4 and against known profiles unless told otherwise. */
export async function createFhirStore(options: FhirStoreOptions): Promise<RestStore> {
  const store = await createStore({ validate: validateResource, ...options });
  if (!options.validate) {
    store.beforeCommit(validateAgainstStored({ terminologyOf: (tx) => (tx as RestTransaction).terminology() }));
  }
  return store;
}

export type { HistoryScope, RestReads, RestStore, RestTransaction, SearchOptions, SearchPage } from './contract.ts';
