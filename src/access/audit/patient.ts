import type { Appointment, Resource, ResourceType } from '@medplum/fhirtypes';

const patientReference = /(?:^|\/)(Patient\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const literalReference = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/;
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
  return resource.resourceType === 'Appointment' ? participantOf(resource) : undefined;
}

/** An appointment names its patient among those who come. */
function participantOf({ participant }: Appointment): string | undefined {
  for (const { actor } of Array.isArray(participant) ? participant : []) {
    const found = patientReference.exec(actor?.reference ?? '')?.[1];
    if (found) return found;
  }
  return undefined;
}

/** `Type/[id]` of the resource whose access rules a file follows: it says whom the file is about (Binary.securityContext). */
export function securityContextOf(resource: Resource): { type: ResourceType; id: string } | undefined {
  if (resource.resourceType !== 'Binary') return undefined;
  const [, type, id] = literalReference.exec(resource.securityContext?.reference ?? '') ?? [];
  return type && id ? { type: type as ResourceType, id } : undefined;
}
