/** Every element of a resource with the names its invariants go by, found by the definitions. */
import { createShapes } from '../../../src/fhir/definitions/shapes.ts';
import { r4Structure } from '../../../src/fhir/definitions/structure-r4.ts';

export const shapes = createShapes(r4Structure);

export interface Instance {
  /** FHIR type of the value. */
  type: string;
  /** Paths of invariants that are about it: its type, and the element that holds it. */
  paths: string[];
  value: unknown;
  /** The resource it is in. */
  resource: Record<string, unknown>;
}

export function* instancesOf(resource: Record<string, unknown>): Generator<Instance> {
  const type = String(resource.resourceType);
  yield { type, paths: [type], value: resource, resource };
  yield* below(resource, type, resource);
}

function* below(value: unknown, type: string, resource: Record<string, unknown>): Generator<Instance> {
  if (typeof value !== 'object' || value === null) return;
  for (const element of shapes.of(type)?.elements.values() ?? []) {
    for (const { property, type: itemType } of element.properties) {
      const held = (value as Record<string, unknown>)[property];
      for (const item of Array.isArray(held) ? held : [held]) {
        if (item === undefined || item === null) continue;
        if (itemType === 'Resource') yield* instancesOf(item as Record<string, unknown>);
        else {
          yield { type: itemType, paths: [itemType, `${type}.${element.name}`], value: item, resource };
          yield* below(item, itemType, resource);
        }
      }
    }
  }
}
