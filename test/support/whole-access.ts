import type { Resource } from '@medplum/fhirtypes';
import type { ReadAccess } from '../../src/fhir/index.ts';

/** An access with the content of what was served as it is stored. */
export function wholeAccess({ stored = [], ...access }: ReadAccess): ReadAccess {
  return { ...access, resources: [...access.resources, ...stored.map(({ text }) => JSON.parse(text) as Resource)] };
}
