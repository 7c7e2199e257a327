/** Whom a resource is about, as it says itself; and what else to ask when it is a part of something that says it. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';

/** Elements that say whom a resource is about, over the types that are stored here (the R4 patient compartment's subjects). */
const elements = ['subject', 'patient', 'for', 'beneficiary', 'individual'] as const;
/** Types that name patients in further places: the elements on the way there. */
const furtherPlaces: Readonly<Partial<Record<ResourceType, readonly (readonly string[])[]>>> = {
  // Those who come.
  Appointment: [['participant', 'actor']],
  AppointmentResponse: [['actor']],
  // A problem of identity is about two people.
  DetectedIssue: [['implicated']],
  EnrollmentRequest: [['candidate']],
  Group: [['member', 'entity']],
  Person: [['link', 'target']],
  Provenance: [['target']],
};
/** Files follow the rules of another resource, and a signature is of one: these say whom they are about. */
const partOf: Readonly<Partial<Record<ResourceType, string>>> = { Binary: 'securityContext', Provenance: 'target' };
/** A group may have thousands of members. */
const referencesAtMost = 1_000;

const patientReference = /^(Patient\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;
const literalReference = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** A resource that says whom another one is about. */
export interface Whole {
  type: ResourceType;
  id: string;
}

/**
 * `Patient/[id]` each, once; empty when it is about nobody, or does not say.
 * @param base address of the FHIR API, without a slash at the end: a patient at any other address is none of ours.
 */
export function patientsOf(resource: Resource, base: string): string[] {
  const { resourceType, id } = resource;
  if (resourceType === 'Patient') return id ? [`Patient/${id}`] : [];
  const places = [...elements.map((name) => [name]), ...(furtherPlaces[resourceType] ?? [])];
  const found = places.flatMap((path) => referencesAt(resource, path, base));
  return [...new Set(found.flatMap((reference) => patientReference.exec(reference)?.[1] ?? []))];
}

/** What a file or a signature belongs to. */
export function wholesOf(resource: Resource, base: string): Whole[] {
  const element = partOf[resource.resourceType];
  if (element === undefined) return [];
  return referencesAt(resource, [element], base).flatMap((reference) => {
    const [, type, id] = literalReference.exec(reference) ?? [];
    return type && id && type !== resource.resourceType ? [{ type: type as ResourceType, id }] : [];
  });
}

/** Literal references at a path, relative to the FHIR API. */
function referencesAt(resource: Resource, path: readonly string[], base: string): string[] {
  let nodes: unknown[] = [resource];
  for (const name of path)
    nodes = nodes
      .flatMap((node) => (typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[name] : []))
      .slice(0, referencesAtMost);
  return nodes.flatMap((node) => {
    const reference = (node as { reference?: unknown } | null | undefined)?.reference;
    if (typeof reference !== 'string') return [];
    return reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  });
}
