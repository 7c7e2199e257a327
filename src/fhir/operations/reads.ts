/** The reads behind an operation: every transaction of the store is also a `RestTransaction`. */
import type { Resource, ResourceType } from '@medplum/fhirtypes';
import { FhirError, type OperationCall } from '../contract.ts';
import { parseJson } from '../json/index.ts';
import type { RestTransaction, StoredVersion } from '../store/contract.ts';

export function readsOf(call: Pick<OperationCall, 'tx'>): RestTransaction {
  return call.tx as RestTransaction;
}

export function parsed(version: StoredVersion): Resource {
  return parseJson(version.text) as Resource;
}

/** The version named, the current one when none is. @throws FhirError 404, 410. */
export async function storedOrGone(
  reads: RestTransaction,
  type: ResourceType,
  id: string,
  version?: number,
): Promise<StoredVersion> {
  const stored = version === undefined ? await reads.readStored(type, id) : await reads.readVersion(type, id, version);
  if (!stored)
    throw new FhirError(404, 'not-found', `${type}/${id}${version ? `/_history/${version}` : ''} is not known`);
  if (stored.deleted) throw new FhirError(410, 'deleted', `${type}/${id} was deleted`);
  return stored;
}

/** Which types the caller may see, asked once for each: what may not be seen is left out of a graph, and the answer says so. */
export function sight(call: Pick<OperationCall, 'isAllowed'>) {
  const known = new Map<string, boolean>();
  return {
    may(type: ResourceType): boolean {
      let allowed = known.get(type);
      if (allowed === undefined) {
        allowed = call.isAllowed({ interaction: 'search-type', type });
        known.set(type, allowed);
      }
      return allowed;
    },
    /** Types asked about and refused, sorted. */
    withheld: () => [...known].flatMap(([type, allowed]) => (allowed ? [] : [type])).sort(),
  };
}

export type Sight = ReturnType<typeof sight>;
