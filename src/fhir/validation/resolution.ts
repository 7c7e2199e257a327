/** Targets of references that are at hand: contained, or in the same Bundle (https://hl7.org/fhir/R4/bundle.html#references). */

interface Surrounding {
  rootResource: unknown;
  bundle: unknown;
}

type Fields = Record<string, unknown>;

export function resolveIn({ rootResource, bundle }: Surrounding, reference: string): unknown {
  if (reference === '#') return rootResource;
  if (reference.startsWith('#')) {
    const id = reference.slice(1);
    return listOf(rootResource, 'contained').find((resource) => resource.id === id);
  }
  if (bundle === undefined) return undefined;
  const target = reference.replace(/\/_history\/[^/]*$/, '');
  const entries = listOf(bundle, 'entry');
  const entry =
    entries.find(({ fullUrl }) => fullUrl === target) ??
    entries.find(({ fullUrl, resource }) => {
      if (/^[a-z]+:/i.test(target)) return false;
      if (typeof fullUrl === 'string') return fullUrl.endsWith(`/${target}`);
      const { resourceType, id } = (resource ?? {}) as Fields;
      return `${resourceType}/${id}` === target;
    });
  return entry?.resource;
}

function listOf(holder: unknown, name: string): Fields[] {
  const list = (holder as Fields | undefined)?.[name];
  return Array.isArray(list) ? list.filter((item): item is Fields => typeof item === 'object' && item !== null) : [];
}
