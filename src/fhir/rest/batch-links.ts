/**
 * Entries of a batch do not depend on one another (https://hl7.org/fhir/R4/http.html#brules): a reference to what another one creates
 * would be kept as it is, and lead to nothing, or to whoever has that address here.
 */
import type { ResourceType } from '@medplum/fhirtypes';
import { FhirError } from '../contract.ts';
import { sentPatch } from '../patch/index.ts';
import { pathOfReference } from '../store/references.ts';
import { isResourceType } from '../validation/index.ts';
import { bundleReferences, type Referring } from './bundle-references.ts';

/** Stands for the address of what is created; no reference is like it. */
const created = ' ';

/** Refusals, by their index, of the entries that refer to what an entry creates. */
export function linksToCreated(entries: readonly unknown[], base: string): ReadonlyMap<number, FhirError> {
  const referring = entries.map(asReferring);
  const references = bundleReferences(referring, base);
  for (const entry of referring) if (entry.isCreate) references.resolve(entry, created);
  const refusals = new Map<number, FhirError>();
  for (const entry of referring) {
    const rewritten = references.rewritten(entry);
    if (rewritten === entry.call.body) continue;
    const problem = 'refers to what an entry of this batch creates: a transaction can do that';
    refusals.set(entry.index, new FhirError(400, 'business-rule', problem, pathOfReference(rewritten, created)));
  }
  return refusals;
}

function asReferring(entry: unknown, index: number): Referring & { isCreate: boolean } {
  const { fullUrl, resource, request } = (entry ?? {}) as Record<string, unknown>;
  const { method, url } = (request ?? {}) as { method?: unknown; url?: unknown };
  // `Patient/1`, `Patient?identifier=…`, with our own address in front or not.
  const type = String(url).split('?', 1)[0]!.split('/').findLast(isResourceType);
  return {
    index,
    ...(typeof fullUrl === 'string' ? { fullUrl } : {}),
    call: {
      ...(resource === undefined ? {} : { body: method === 'PATCH' ? patchOf(resource) : resource }),
      ...(type === undefined ? {} : { type: type as ResourceType }),
    },
    isCreate: method === 'POST',
  };
}

/** What is no patch is refused when the entry is run. */
function patchOf(resource: unknown): unknown {
  try {
    return sentPatch(resource);
  } catch {
    return resource;
  }
}
