/**
 * Whom stored versions are about, remembered: pages ask for the same worklists all day, and reading fifty resources as JSON to find their
 * patients would cost more than finding the resources.
 */
import type { Resource } from '@medplum/fhirtypes';
import type { ServedVersion } from '../../fhir/index.ts';
import { patientOf, securityContextOf } from './patient.ts';

/** What the trail has to know of the content of a resource. */
export interface Subject {
  /** `Patient/[id]`. */
  patient?: string;
  /** Resource whose access rules a file follows: it says whom the file is about. */
  rulesOf?: NonNullable<ReturnType<typeof securityContextOf>>;
}

/** Some megabytes of identifiers. */
const remembered = 20_000;

export function subjectOf(resource: Resource): Subject {
  const patient = patientOf(resource);
  const rulesOf = securityContextOf(resource);
  return { ...(patient === undefined ? {} : { patient }), ...(rulesOf ? { rulesOf } : {}) };
}

/** @returns subjects of versions of a tenant. A version never changes; its instant tells it from one of an id that was purged and used again. */
export function rememberSubjects(): (tenant: string, version: ServedVersion) => Subject {
  const known = new Map<string, Subject>();
  return (tenant, { type, id, version, updated, text }) => {
    const key = `${tenant} ${type}/${id}/${version} ${updated.getTime()}`;
    const subject = known.get(key);
    if (subject) return subject;
    const found = subjectOf(JSON.parse(text) as Resource);
    // A caller from whom elements are hidden may see whom it is about less than others do.
    if (found.patient === undefined && found.rulesOf === undefined) return found;
    if (known.size >= remembered) known.clear();
    known.set(key, found);
    return found;
  };
}
