/** The values an element has in an instance, one by one. */
import type { ElementShape, Shape } from '../../definitions/shapes.ts';
import { isObject } from '../run.ts';

/** One value of an element. */
export interface Occurrence {
  /** What JSON has; undefined for a primitive with extensions only. */
  value: unknown;
  /** The `_` twin of a primitive. */
  element?: Record<string, unknown>;
  /** FHIR type by which the value is written. */
  type: string;
  /** Place in the array, when the element repeats. */
  index?: number;
}

/** The element `name` of a type and the JSON properties that are meant; `valueQuantity` is one property of `value`. */
export function elementNamed(shape: Shape, name: string): ElementShape | undefined {
  const element = shape.elements.get(name);
  if (element) return element;
  for (const candidate of shape.elements.values()) {
    if (!candidate.isChoice) continue;
    const properties = candidate.properties.filter(({ property }) => property === name);
    if (properties.length > 0) return { ...candidate, properties };
  }
  return undefined;
}

export function occurrencesOf(holder: unknown, element: ElementShape): Occurrence[] {
  if (!isObject(holder)) return [];
  const found: Occurrence[] = [];
  for (const { property, type, primitive } of element.properties) {
    const value = holder[property];
    const twin = primitive ? holder[`_${property}`] : undefined;
    if ((value === undefined || value === null) && twin === undefined) continue;
    if (!element.rule.repeats) {
      if (!Array.isArray(value)) found.push(occurrence(value, twin, type));
      continue;
    }
    const values: unknown[] = Array.isArray(value) ? value : [];
    const twins: unknown[] = Array.isArray(twin) ? twin : [];
    for (let index = 0; index < Math.max(values.length, twins.length); index++) {
      found.push({ ...occurrence(values[index], twins[index], type), index });
    }
  }
  return found;
}

function occurrence(value: unknown, twin: unknown, type: string): Occurrence {
  const element = isObject(twin) ? { element: twin } : {};
  return {
    value: value ?? undefined,
    type: isObject(value) && type === 'Resource' ? String(value.resourceType) : type,
    ...element,
  };
}

/** What a check of the whole element looks at: the object, or the `_` twin when there is no value. */
export function held({ value, element }: Occurrence): unknown {
  return value ?? element;
}
