/** A resource of any type, at the root, contained, or inside a Bundle or Parameters (https://hl7.org/fhir/R4/resource.html). */
import { checkProfilesOf } from './profiles/registry.ts';
import { type Check, isObject, maxDepth, type Run, report } from './run.ts';

/**
 * @param typeCheck check of the content by type.
 */
export function resourceCheck(typeCheck: (name: string) => Check, isResourceType: (name: string) => boolean): Check {
  return (value, run) => {
    if (!isObject(value)) return report(run, 'structure', 'must be a resource');
    const type = value.resourceType;
    if (typeof type !== 'string') return report(run, 'required', 'is required', 'resourceType');
    if (!isResourceType(type)) return report(run, 'structure', 'must be a resource type of R4', 'resourceType');
    const isRoot = run.path.length === 0;
    if (isRoot) run.path.push(type);
    const { contained, isContained, isTransaction, resource, rootResource, resourceDepth, bundle } = run;
    run.isContained = run.path.at(-2) === 'contained';
    run.resource = value;
    run.resourceDepth = run.path.length;
    if (run.isContained) checkContained(value, run);
    else {
      run.rootResource = value;
      run.contained = containedTypes(value, run);
      if (run.contained) checkContainedAreUsed(value, run.contained, run);
    }
    if (type === 'Bundle') {
      run.isTransaction = value.type === 'transaction' || value.type === 'batch';
      run.bundle = value;
    }
    typeCheck(type)(value, run);
    if (run.profiles && (isRoot || value.meta)) checkProfilesOf(value, run.profiles, isRoot, run);
    Object.assign(run, { contained, isContained, isTransaction, resource, rootResource, resourceDepth, bundle });
    if (isRoot) run.path.pop();
  };
}

/** Invariants dom-2, dom-4 and dom-5, and the id without which nothing can refer to it (https://hl7.org/fhir/R4/references.html#contained). */
function checkContained(value: Record<string, unknown>, run: Run): void {
  if (value.contained !== undefined) report(run, 'invariant', 'must not contain a resource itself', 'contained');
  if (value.id === undefined) report(run, 'required', 'is required in a contained resource', 'id');
  const meta = isObject(value.meta) ? value.meta : {};
  if (meta.versionId !== undefined || meta.lastUpdated !== undefined) {
    report(run, 'invariant', 'must not have a versionId or lastUpdated in a contained resource', 'meta');
  }
  if (meta.security !== undefined) {
    report(run, 'invariant', 'must not have security labels in a contained resource', 'meta');
  }
}

/** Invariant dom-3: what is contained is referred to from the resource, or refers to it. */
function checkContainedAreUsed(value: Record<string, unknown>, contained: ReadonlyMap<string, string>, run: Run): void {
  const used = new Set<string>();
  localReferences(value, used, 0);
  (value.contained as unknown[]).forEach((item, index) => {
    if (!isObject(item) || typeof item.id !== 'string' || !contained.has(item.id) || used.has(`#${item.id}`)) return;
    const own = new Set<string>();
    localReferences(item, own, 0);
    if (own.has('#')) return;
    run.path.push('contained', index);
    report(run, 'invariant', 'must be referred to from the resource that contains it');
    run.path.length -= 2;
  });
}

/** Every `#…` of references and addresses. Deeper than the limit nothing is valid anyway. */
function localReferences(value: unknown, into: Set<string>, depth: number): void {
  if (typeof value === 'string') {
    if (value.startsWith('#')) into.add(value);
    // Images and links of narrative.
    else if (value.includes('"#')) for (const [, link] of value.matchAll(/\s(?:src|href)="(#[^"]+)"/g)) into.add(link!);
  } else if (typeof value === 'object' && value !== null && depth <= 2 * maxDepth) {
    for (const item of Array.isArray(value) ? value : Object.values(value)) localReferences(item, into, depth + 1);
  }
}

function containedTypes(value: Record<string, unknown>, run: Run): ReadonlyMap<string, string> | undefined {
  if (!Array.isArray(value.contained)) return undefined;
  const types = new Map<string, string>();
  for (const contained of value.contained) {
    if (!isObject(contained) || typeof contained.id !== 'string') continue;
    if (types.has(contained.id)) report(run, 'duplicate', 'must not have the same id twice', 'contained');
    types.set(contained.id, String(contained.resourceType));
  }
  return types;
}
