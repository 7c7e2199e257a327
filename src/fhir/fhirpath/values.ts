/**
 * Values as FHIRPath sees them: what JSON says, and for a primitive with an id or extensions a pair of both
 * (https://hl7.org/fhir/R4/json.html#primitive).
 */

const pair = Symbol('primitive with extensions');

/** A primitive together with its `_` property. */
export interface Pair {
  readonly [pair]: true;
  readonly value: unknown;
  readonly element: Record<string, unknown>;
}

export function makePair(value: unknown, element: Record<string, unknown>): Pair {
  return { [pair]: true, value, element };
}

export function isPair(item: unknown): item is Pair {
  return typeof item === 'object' && item !== null && pair in item;
}

/**
 * Longest text an expression makes: what a string of FHIR may hold (https://hl7.org/fhir/R4/datatypes.html#string). What would be longer
 * is nothing: replaced in itself a few times over, a text would fill the memory.
 */
export const longestText = 1_048_576;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The primitive itself; undefined when it has extensions only. */
export function plain(item: unknown): unknown {
  return isPair(item) ? (item.value ?? undefined) : item;
}

/** Adds the values of one JSON property, `shadow` being the name of its `_` twin. */
export function readProperty(item: unknown, property: string, shadow: string, into: unknown[]): void {
  if (!isObject(item)) return;
  const holder = isPair(item) ? item.element : item;
  const value = holder[property];
  const twin = holder[shadow];
  if (twin === undefined) {
    if (value === undefined || value === null) return;
    if (!Array.isArray(value)) into.push(value);
    else for (const each of value) if (each !== null && each !== undefined) into.push(each);
    return;
  }
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const twins: unknown[] = Array.isArray(twin) ? twin : [twin];
  for (let index = 0; index < Math.max(values.length, twins.length); index++) {
    const each = values[index] ?? undefined;
    const element = twins[index];
    if (isObject(element)) into.push(makePair(each, element));
    else if (each !== undefined) into.push(each);
  }
}

/** Every child of an item, whatever its name (http://hl7.org/fhirpath/N1/#children-collection). */
export function childrenOf(item: unknown, into: unknown[]): void {
  if (!isObject(item)) return;
  const holder = isPair(item) ? item.element : item;
  for (const property of Object.keys(holder)) {
    if (property === 'resourceType') continue;
    if (property.startsWith('_')) {
      if (!(property.slice(1) in holder)) readProperty(item, property.slice(1), property, into);
    } else readProperty(item, property, `_${property}`, into);
  }
}

/** `=` of two items; numbers and strings by value, everything else by structure. */
export function isEqual(left: unknown, right: unknown): boolean {
  const a = plain(left);
  const b = plain(right);
  if (a === b) return a !== undefined;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => isEqual(item, b[at]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a).filter((key) => a[key] !== undefined);
  return (
    keys.length === Object.keys(b).filter((key) => b[key] !== undefined).length &&
    keys.every((key) => isEqual(a[key], b[key]))
  );
}

/** `~`: strings without case and repeated white space, numbers and structures as `=`. */
export function isEquivalent(left: unknown, right: unknown): boolean {
  const a = plain(left);
  const b = plain(right);
  if (typeof a === 'string' && typeof b === 'string') return folded(a) === folded(b);
  return isEqual(a, b);
}

function folded(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Items of the list without those equal to an earlier one. */
export function distinct(items: readonly unknown[]): unknown[] {
  if (items.length < 2) return [...items];
  const seen = new Set<unknown>();
  const kept: unknown[] = [];
  const structures: unknown[] = [];
  for (const item of items) {
    const value = plain(item);
    if (typeof value === 'object') {
      if (structures.some((other) => isEqual(other, value))) continue;
      structures.push(value);
    } else {
      if (seen.has(value)) continue;
      seen.add(value);
    }
    kept.push(item);
  }
  return kept;
}
