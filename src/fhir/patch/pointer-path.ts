/**
 * The element a JSON Pointer leads to, as OperationOutcome.issue.expression names it: FHIRPath of element names and indexes
 * (https://hl7.org/fhir/R4/operationoutcome-definitions.html#OperationOutcome.issue.expression), `Observation.value.unit` for
 * `/valueQuantity/unit`.
 */
import { elementOfProperty } from './elements.ts';
import { isJsonObject, parsePointer, valueAt } from './json-pointer.ts';

/**
 * @param document the resource, for the types of what is contained in it; a document of another kind has no expression but `Resource`.
 * @returns the path as far as the segments are elements of R4, there or not: the innermost element around the fault.
 */
export function pathOfPointer(document: unknown, pointer: readonly string[]): string {
  const root = resourceTypeOf(document);
  return root === undefined ? 'Resource' : followed(root, pointer, document).expression;
}

/**
 * @param type of the resource. @param text the pointer.
 * @returns the type of what a value put there is, or of its items; with the element it is of, where that is one of a type
 * (`Reference` and `reference`). Undefined where the pointer leaves what R4 knows, or goes through a resource in the resource.
 */
export function typeAtPointer(type: string, text: unknown): { type: string; of: string; name: string } | undefined {
  const pointer = parsePointer(text);
  if (!pointer) return undefined;
  const { length, ...found } = followed(type, pointer, undefined);
  return length === pointer.length ? found : undefined;
}

interface Followed {
  expression: string;
  type: string;
  /** Type around the element, and its name there. */
  of: string;
  name: string;
  /** Segments that were understood. */
  length: number;
}

function followed(root: string, pointer: readonly string[], document: unknown): Followed {
  let at: Followed = { expression: root, type: root, of: '', name: '', length: 0 };
  let isList = false;
  for (const segment of pointer) {
    const length = at.length + 1;
    const inside = () => resourceTypeOf(valueAt(document, pointer.slice(0, length))?.value) ?? 'Resource';
    if (isList) {
      // The place after the last has no index yet.
      const index = segment === '-' ? '' : /^(?:0|[1-9]\d{0,8})$/.test(segment) ? `[${segment}]` : undefined;
      if (index === undefined) break;
      isList = false;
      at = { ...at, length, expression: at.expression + index, type: at.type === 'Resource' ? inside() : at.type };
      continue;
    }
    const element = elementOfProperty(at.type, segment);
    if (!element) break;
    const { name, repeats } = element;
    isList = repeats;
    const type = element.type === 'Resource' && !repeats ? inside() : element.type;
    at = { expression: `${at.expression}.${name}`, type, of: at.type, name, length };
  }
  return at;
}

function resourceTypeOf(value: unknown): string | undefined {
  const type = isJsonObject(value) ? value.resourceType : undefined;
  return typeof type === 'string' && /^[A-Za-z]{1,64}$/.test(type) ? type : undefined;
}
