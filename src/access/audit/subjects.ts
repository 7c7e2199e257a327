/**
 * Whom stored versions are about, remembered: pages ask for the same worklists all day, and reading fifty resources as JSON to find their
 * patients would cost more than finding the resources.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { ServedVersion } from '../../fhir/index.ts';
import { patientsOf, type Whole, wholesOf } from './patient.ts';

/** What the trail has to know of the content of a resource. */
export interface Subject {
  /** `Patient/[id]` each. */
  patients: readonly string[];
  /** Resources that say whom a file or a signature is about. */
  wholes: readonly Whole[];
}

/** Some megabytes of identifiers. */
const remembered = 20_000;

/** @param base address of the FHIR API. */
export function subjectOf(resource: Resource, base: string): Subject {
  return { patients: patientsOf(resource, base), wholes: wholesOf(resource, base) };
}

/**
 * @param base address of the FHIR API.
 * @returns subjects of versions of a tenant. A version never changes; its instant tells it from one of an id that was purged and used again.
 */
export function rememberSubjects(base: () => string): (tenant: string, version: ServedVersion) => Subject {
  const known = new Map<string, Subject>();
  return (tenant, { type, id, version, updated, text, whole = text }) => {
    const key = `${tenant} ${type}/${id}/${version} ${updated.getTime()}`;
    const subject = known.get(key);
    if (subject) return subject;
    const found = subjectOf(JSON.parse(whole) as Resource, base());
    if (known.size >= remembered) known.clear();
    known.set(key, found);
    return found;
  };
}
