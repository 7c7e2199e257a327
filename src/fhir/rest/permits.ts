/** Rights asked type by type, where an answer may leave out what the caller must not see. */
import type { ResourceType } from '@medplum/fhirtypes';
import { type Context, FhirError, type FhirGuards } from '../contract.ts';

/** Types of `types` for which the caller may do this. */
export function permittedTypes(
  guards: FhirGuards,
  context: Context,
  interaction: 'search-type' | 'history-type',
  types: readonly ResourceType[],
): ResourceType[] {
  return types.filter((type) => {
    try {
      guards.authorize(context, { interaction, type });
      return true;
    } catch (error) {
      if (error instanceof FhirError && error.status === 403) return false;
      throw error;
    }
  });
}
