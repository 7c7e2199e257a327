/**
 * Types a search looks into beyond its own: chains, `_has`, `_filter`, `_list` (https://hl7.org/fhir/R4/search.html#chaining). The
 * caller must be allowed to search each of them, else a search of a directory would tell about patients. What includes bring without
 * naming its type is left out where the caller may not search it (`mayInclude`).
 */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Context, FhirGuards } from '../contract.ts';
import type { Service } from './call.ts';

/**
 * Asks for the right to search a type and whatever else the query looks into. @param query exactly what will be searched by.
 * @throws FhirError 403; 400 for what is no query.
 */
export function authorizeSearch(
  context: Context,
  type: ResourceType,
  query: string,
  { guards, store }: Pick<Service, 'guards' | 'store'>,
): void {
  guards.authorize(context, { interaction: 'search-type', type });
  for (const reached of store.typesTouched([type], query, context.tenant).tested) {
    if (reached !== type) guards.authorize(context, { interaction: 'search-type', type: reached });
  }
}

/** Types that includes may bring: those the caller may search. */
export function includable(context: Context, guards: FhirGuards): (type: ResourceType) => boolean {
  return (type) => guards.isAllowed(context, { interaction: 'search-type', type });
}
