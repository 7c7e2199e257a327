/** The FHIR server: storage, search, validation, REST. Knows FHIR, knows nothing of radiology. */
export { rewrapBulkFiles } from './bulk/at-rest.ts';
export { systemContext } from './context.ts';
export {
  type Actor,
  type Change,
  type ChangeHook,
  type CommitHook,
  type Context,
  FhirError,
  type FhirGuards,
  type FhirStore,
  type FhirTransaction,
  type Operation,
  type OperationAnswer,
  type OperationCall,
  type ProjectedRow,
  parameterNamed,
  type ReadAccess,
  type RowScope,
  type ServedVersion,
  type Sight,
  type TenantAnswer,
} from './contract.ts';
export { registerGraphql } from './graphql/index.ts';
export { identityReliability } from './identity-reliability.ts';
export { patientRecord } from './operations/compartment-members.ts';
export { registerOperations } from './operations/index.ts';
export { parsed as parsedVersion, readsOf } from './operations/reads.ts';
export { rewriteSearchValues } from './reindex/rewrite-type.ts';
export { loggable } from './rest/errors.ts';
export { mergedRoutes } from './rest/merged/routes.ts';
export { fhirRoutes } from './rest/plugin.ts';
export { escapeValue, identifierQuery, identifierToken } from './search/escapes.ts';
export { parameterKey } from './search/keys.ts';
export { isLimitedType, limitedTypes } from './search/row-limits.ts';
export { createFhirStore } from './store/index.ts';
export { accountSystem, establishmentSystem, labelsOf } from './store/labels.ts';
export { relabel } from './store/relabel.ts';
export { createSearchValues, type SearchValues } from './store/search-values.ts';
export { resealHeaders } from './subscriptions/headers.ts';
export { listLoaded, loadKinds, loadTerminology, removeLoaded } from './terminology/index.ts';
export { isResourceType, validateResource } from './validation/index.ts';
