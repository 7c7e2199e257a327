import type { Resource } from '@medplum/fhirtypes';

const patientReference = /(?:^|\/)(Patient\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
/** Elements that say whom a resource is about, over the types that are stored here (the R4 patient compartment's subjects). */
const elements = ['subject', 'patient', 'for', 'beneficiary', 'individual'] as const;

/** `Patient/[id]` a resource is about; undefined when it is about nobody, or does not say. */
export function patientOf(resource: Resource): string | undefined {
  if (resource.resourceType === 'Patient') return resource.id ? `Patient/${resource.id}` : undefined;
  const fields = resource as unknown as Record<string, unknown>;
  for (const element of elements) {
    const reference = (fields[element] as { reference?: unknown } | undefined)?.reference;
    const found = typeof reference === 'string' ? patientReference.exec(reference)?.[1] : undefined;
    if (found) return found;
  }
  return undefined;
}
