/** Rights asked type by type, where an answer leaves out what the caller must not see: silently, since nobody named those types. */
import type { ResourceType } from '@medplum/fhirtypes';
import type { Context, FhirGuards } from '../contract.ts';

/** Types of `types` for which the caller may do this. */
export function permittedTypes(
  guards: FhirGuards,
  context: Context,
  interaction: 'search-type' | 'history-type',
  types: readonly ResourceType[],
): ResourceType[] {
  return types.filter((type) => guards.isAllowed(context, { interaction, type }));
}
