/** A searchset Bundle as lists by type and as an index by literal reference. */
import type { Bundle, ExtractResource, Reference, Resource, ResourceType } from '@medplum/fhirtypes';

export interface Found {
  all<K extends ResourceType>(type: K): ExtractResource<K>[];
  /** The resource a reference names, when the bundle carries it. */
  at<K extends ResourceType>(type: K, reference: Reference | undefined): ExtractResource<K> | undefined;
}

export function found(bundle: Bundle | undefined): Found {
  const resources = (bundle?.entry ?? []).flatMap((entry) => (entry.resource ? [entry.resource] : []));
  const byReference = new Map<string, Resource>(resources.map((one) => [`${one.resourceType}/${one.id}`, one]));
  return {
    all: <K extends ResourceType>(type: K) =>
      resources.filter((one) => one.resourceType === type) as ExtractResource<K>[],
    at: <K extends ResourceType>(type: K, reference: Reference | undefined) => {
      const one = byReference.get(literalReference(reference) ?? '');
      return one?.resourceType === type ? (one as ExtractResource<K>) : undefined;
    },
  };
}

/** A Bundle over several tenants, taken apart: the same `Type/id` may be in each, and is another resource. */
export function byTenant(bundle: Bundle | undefined): { tenant: string | undefined; bundle: Bundle }[] {
  const tenantOf = (url: string | undefined) => /\/t\/([a-z][a-z0-9-]*)\/fhir\//.exec(url ?? '')?.[1];
  const parts = new Map<string | undefined, NonNullable<Bundle['entry']>>();
  for (const entry of bundle?.entry ?? []) {
    const tenant = tenantOf(entry.fullUrl);
    parts.set(tenant, [...(parts.get(tenant) ?? []), entry]);
  }
  return [...parts].map(([tenant, entry]) => ({
    tenant,
    bundle: { resourceType: 'Bundle', type: 'searchset', entry },
  }));
}

/** `Type/id` out of a relative, absolute or versioned reference. */
export function literalReference(reference: Reference | undefined): string | undefined {
  const match = /([A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(
    reference?.reference ?? '',
  );
  return match?.[1];
}

/** The id part of a reference to this type. */
export function referencedId(type: ResourceType, reference: Reference | undefined): string | undefined {
  const literal = literalReference(reference);
  return literal?.startsWith(`${type}/`) ? literal.slice(type.length + 1) : undefined;
}
