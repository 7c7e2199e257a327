/** Targets of references that are at hand: contained, or in the same Bundle (https://hl7.org/fhir/R4/bundle.html#references). */

type Fields = Record<string, unknown>;

interface Surrounding {
  rootResource: unknown;
  bundle: unknown;
}

export function resolveIn({ rootResource, bundle }: Surrounding, reference: string): unknown {
  if (reference === '#') return rootResource;
  if (reference.startsWith('#')) {
    const id = reference.slice(1);
    return listOf(rootResource, 'contained').find((resource) => resource.id === id);
  }
  if (bundle === undefined) return undefined;
  const own = listOf(bundle, 'entry').find(({ resource }) => resource === rootResource);
  return resolveEntry(bundle, reference, own?.fullUrl)?.resource;
}

/**
 * The entry a reference leads to. A relative one is completed by the base of the entry it is in, when that has one; else every entry of
 * that type and id is meant.
 * @param from `fullUrl` of the entry that refers.
 */
export function resolveEntry(bundle: unknown, reference: string, from: unknown): Fields | undefined {
  const target = reference.replace(/\/_history\/[^/]*$/, '').replace(/#.*$/, '');
  const entries = listOf(bundle, 'entry');
  const exact = entries.find(({ fullUrl }) => fullUrl === target);
  if (exact || /^[a-z][a-z0-9+.-]*:/i.test(target)) return exact;
  const base =
    typeof from === 'string' ? /^(https?:\/\/.+\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.exec(from)?.[1] : undefined;
  if (base) return entries.find(({ fullUrl }) => fullUrl === base + target);
  return entries.find(({ fullUrl, resource }) => {
    const { resourceType, id } = (resource ?? {}) as Fields;
    return (
      `${resourceType}/${id}` === target &&
      (fullUrl === undefined || !String(fullUrl).startsWith('urn:') || from === undefined)
    );
  });
}

function listOf(holder: unknown, name: string): Fields[] {
  const list = (holder as Fields | undefined)?.[name];
  return Array.isArray(list) ? list.filter((item): item is Fields => typeof item === 'object' && item !== null) : [];
}
