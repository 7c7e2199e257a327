/** A resource of any type, at the root, contained, or inside a Bundle or Parameters (https://hl7.org/fhir/R4/resource.html). */
import { type Check, isObject, type Run, report } from './run.ts';

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
    const outer = { contained: run.contained, isContained: run.isContained, isTransaction: run.isTransaction };
    run.isContained = run.path.at(-2) === 'contained';
    if (run.isContained) checkContained(value, run);
    else run.contained = containedTypes(value, run);
    if (type === 'Bundle') run.isTransaction = value.type === 'transaction' || value.type === 'batch';
    typeCheck(type)(value, run);
    Object.assign(run, outer);
    if (isRoot) run.path.pop();
  };
}

/** Invariants dom-2 and dom-4, and the id without which nothing can refer to it (https://hl7.org/fhir/R4/references.html#contained). */
function checkContained(value: Record<string, unknown>, run: Run): void {
  if (value.contained !== undefined) report(run, 'invariant', 'must not contain a resource itself', 'contained');
  if (value.id === undefined) report(run, 'required', 'is required in a contained resource', 'id');
  const meta = isObject(value.meta) ? value.meta : {};
  if (meta.versionId !== undefined || meta.lastUpdated !== undefined) {
    report(run, 'invariant', 'must not have a versionId or lastUpdated in a contained resource', 'meta');
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
