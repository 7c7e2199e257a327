/**
 * An object of JSON against the elements of its type: unknown and missing ones, cardinality, choices, `_` properties, emptiness
 * (https://hl7.org/fhir/R4/json.html).
 */
import { type Check, isObject, maxDepth, type Run, report } from './run.ts';

/** One JSON property a type may have. `birthDate` and `_birthDate` are two slots of one element. */
export interface Slot {
  /** Name in FHIRPath: `value` for `valueQuantity`, `birthDate` for `_birthDate`. */
  name: string;
  /** Position of the element in the marks of what was seen. */
  bit: number;
  repeats: boolean;
  primitive: boolean;
  /** The `_` property: id and extensions of a primitive. */
  isShadow: boolean;
  /** Of a `_` property whose value is there: an id of its own is then enough. */
  besideValue?: Check;
  /** Every property of the choice, when it is one. */
  choice?: string[];
  check: Check;
}

/** What a type may and must have. */
export interface Elements {
  /** By JSON property. */
  slots: ReadonlyMap<string, Slot>;
  required: readonly { name: string; mask: number }[];
}

export interface ObjectOptions {
  /** The property `resourceType` is expected, and content is not. */
  isResource?: boolean;
  /** The id is content: what it names has its value elsewhere. */
  isIdEnough?: boolean;
}

export function objectCheck(
  { slots, required }: Elements,
  { isResource = false, isIdEnough = false }: ObjectOptions = {},
): Check {
  return (value, run) => {
    if (!isObject(value)) return report(run, 'structure', 'must be an object');
    if (run.depth >= maxDepth) return report(run, 'too-long', `must not nest deeper than ${maxDepth}`);
    run.depth++;
    let seen = 0;
    // ele-1: an id alone is no content, beside a value it is (https://hl7.org/fhir/R4/element.html#invs).
    let hasContent = isResource;
    for (const property of Object.keys(value)) {
      const item = value[property];
      if (item === undefined) continue;
      if (isResource && property === 'resourceType') continue;
      const slot = slots.get(property);
      if (!slot) {
        report(run, 'structure', 'is not an element of this type', safeName(property));
        continue;
      }
      hasContent ||= isIdEnough || property !== 'id';
      if (slot.choice && seen & slot.bit && countChoices(slot.choice, value) > 1) {
        report(run, 'structure', 'must have one type only', slot.name);
      }
      seen |= slot.bit;
      run.path.push(slot.name);
      checkSlot(slot, property, item, value, run);
      run.path.pop();
    }
    for (const { name, mask } of required) if (!(seen & mask)) report(run, 'required', 'is required', name);
    if (!hasContent) report(run, 'invariant', 'must have content');
    run.depth--;
  };
}

function checkSlot(slot: Slot, property: string, item: unknown, parent: Record<string, unknown>, run: Run): void {
  if (!slot.repeats) {
    if (item === null) report(run, 'structure', 'must not be null');
    else if (Array.isArray(item)) report(run, 'structure', 'must not be an array');
    else checkOf(slot, slot.isShadow ? parent[property.slice(1)] : undefined)(item, run);
    return;
  }
  if (!Array.isArray(item) || item.length === 0) {
    report(run, 'structure', Array.isArray(item) ? 'must not be an empty array' : 'must be an array');
    return;
  }
  const twin = slot.primitive ? parent[slot.isShadow ? property.slice(1) : `_${property}`] : undefined;
  for (let index = 0; index < item.length; index++) {
    run.path.push(index);
    const value: unknown = item[index];
    // In an array of primitives null holds the place of a value that has extensions only, and the reverse.
    const other: unknown = Array.isArray(twin) ? twin[index] : undefined;
    if (value !== null) checkOf(slot, other)(value, run);
    else if (other === null || other === undefined) report(run, 'structure', 'must not be null');
    run.path.pop();
  }
}

/** @param twin what a `_` property is the shadow of. */
function checkOf(slot: Slot, twin: unknown): Check {
  return (twin !== undefined && twin !== null && slot.besideValue) || slot.check;
}

function countChoices(properties: readonly string[], value: Record<string, unknown>): number {
  return properties.filter((name) => value[name] !== undefined || value[`_${name}`] !== undefined).length;
}

/** Names from outside are repeated only when they are plain names: a property name may be anything, a patient's included. */
function safeName(property: string): string | undefined {
  return /^_?[A-Za-z][A-Za-z0-9]{0,63}$/.test(property) ? property : undefined;
}
