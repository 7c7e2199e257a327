/** read: https://hl7.org/fhir/R4/http.html#read; conditional read: https://hl7.org/fhir/R4/http.html#cread. */
import type { Resource } from '@medplum/fhirtypes';
import { platformTenant } from '../../db/index.ts';
import { FhirError } from '../contract.ts';
import type { StoredVersion } from '../store/contract.ts';
import { isSharedType } from '../store/shared-types.ts';
import type { Answer, AnsweredVersion, ReadInteraction } from './call.ts';
import { isNotModified } from './conditions.ts';
import { readParameters, type Subset, subsetOf, subsetResource } from './subsetting.ts';

export const read: ReadInteraction = {
  access: 'read',
  code: 'read',
  async run(call, reads, { artefacts, searchDefinitions, store }) {
    const subset = subsetOf(readParameters(call), searchDefinitions);
    const own = await reads.readStored(call.type!, call.id!);
    const artefact = own ? undefined : artefacts.read(call.type!, call.id!);
    if (artefact) return { status: 200, body: JSON.stringify(subsetResource(artefact, subset)) };
    // References of the tenant may lead to the platform's: whoever follows one finds it.
    const isShared = !own && isSharedType(call.type!) && call.context.tenant !== platformTenant;
    const stored = isShared ? await store.reads(platformTenant).readStored(call.type!, call.id!) : own;
    if (!stored) throw new FhirError(404, 'not-found', `${call.type}/${call.id} is not known`);
    if (stored.deleted) throw new FhirError(410, 'deleted', `${call.type}/${call.id} was deleted`);
    const version = answeredVersion(stored);
    if (isNotModified(call.conditions, version)) return { status: 304, version, read: served([stored]) };
    return storedAnswer(stored, subset);
  },
};

/** A stored version as the answer to a read. */
export function storedAnswer(stored: StoredVersion, subset: Subset): Answer {
  return {
    status: 200,
    body: subset(stored).text,
    version: answeredVersion(stored),
    read: served([stored]),
  };
}

export function answeredVersion({ type, id, version, updated }: StoredVersion): AnsweredVersion {
  return { type, id, versionId: String(version), updated };
}

/** What the trail is told of versions served as they are stored, by a query or by their address. */
export function served(stored: readonly StoredVersion[], query?: string): NonNullable<Answer['read']> {
  return { resources: [], stored, ...(query === undefined ? {} : { query }) };
}

export function parse(stored: StoredVersion): Resource {
  return JSON.parse(stored.text) as Resource;
}
