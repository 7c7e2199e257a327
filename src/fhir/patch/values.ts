/** Values of a FHIRPath Patch, as Parameters carry them: `value[x]`, a resource, or the parts of an element without a name of its own. */

import { choiceProperty } from '../definitions/structure-file.ts';
import { forget, hasLiterals, literalOf, markHolder, remember, shiftLiterals } from '../json/index.ts';
import { type Element, elementOf } from './elements.ts';
import { patchFault } from './fault.ts';
import { isJsonObject, type JsonObject } from './json-pointer.ts';
import type { Place } from './places.ts';

export interface PatchValue {
  content: unknown;
  /** Id and extensions of a primitive. */
  companion?: unknown;
  /** JSON property the value came under: `valueDate`, `resource`, `part`. */
  origin: string;
  /** How the number was written, when that is not how it would be written now. */
  text?: string;
}

/** The value of a `Parameters.parameter.part`. @param type type of an element without a name, for the parts of it. */
export function patchValueOf(part: JsonObject, element: Element, at: string): PatchValue {
  if (Array.isArray(part.part)) return { content: partsOf(part.part, element.properties[0]!.type, at), origin: 'part' };
  if (part.resource !== undefined) return { content: part.resource, origin: 'resource' };
  const origin = Object.keys(part)
    .find((name) => /^_?value[A-Z]/.test(name))
    ?.replace(/^_/, '');
  if (!origin) throw patchFault(400, 'required', 'has no value', at);
  const content = part[origin];
  const companion = part[`_${origin}`];
  const text = typeof content === 'number' ? literalOf(part, origin, content) : undefined;
  return {
    content,
    ...(companion === undefined ? {} : { companion }),
    origin,
    ...(text === undefined ? {} : { text }),
  };
}

/** Property of the element a value goes under: of a choice, the one of its type. */
export function propertyFor({ properties }: Element, { origin }: PatchValue, at: string): string {
  const [only, ...others] = properties;
  if (others.length === 0) return only!.property;
  const fitting = properties.find(({ type }) => choiceProperty('value', type) === origin);
  if (!fitting) throw patchFault(422, 'value', 'the element does not take a value of this type', at);
  return fitting.property;
}

/** Puts a value (and what belongs to a primitive beside it) under a property, or at an index of the list there. */
export function put(container: JsonObject, property: string, index: number | undefined, value: PatchValue): void {
  const { content, companion, text } = value;
  if (index === undefined) {
    assign(container, property, content);
    assign(container, `_${property}`, companion);
    forget(container, property);
    if (text !== undefined) remember(container, property, text);
  } else {
    place(container, property, index, content);
    place(container, `_${property}`, index, companion);
    const list = container[property];
    if (Array.isArray(list)) {
      forget(list, String(index));
      if (text !== undefined) remember(list, String(index), text);
      if (hasLiterals(list)) markHolder(container);
    }
  }
  if (hasLiterals(content)) markHolder(container);
}

/** Gives a primitive its id and extensions, the value stays as it is. */
export function setCompanion({ container, property, index }: Place, companion: JsonObject): void {
  if (index === undefined) assign(container, `_${property}`, companion);
  else place(container, `_${property}`, index, companion);
}

function assign(container: JsonObject, property: string, value: unknown): void {
  if (value === undefined) delete container[property];
  else container[property] = value;
}

/** A list of primitives has `null` where one has extensions alone, and the list beside it where one has none. */
function place(container: JsonObject, property: string, index: number, value: unknown): void {
  const list = container[property];
  if (Array.isArray(list)) {
    while (list.length < index) list.push(null);
    list[index] = value ?? null;
  } else if (value !== undefined) container[property] = [...Array<null>(index).fill(null), value];
}

/** Makes room at an index of a list, in both lists of primitives. */
export function openAt(container: JsonObject, property: string, index: number): void {
  for (const name of [property, `_${property}`]) {
    const list = container[name];
    if (!Array.isArray(list) || index >= list.length) continue;
    shiftLiterals(list, index, 1);
    list.splice(index, 0, null);
  }
}

/** Takes the element out of a list, from both lists of primitives. */
export function closeAt(container: JsonObject, property: string, index: number): void {
  for (const name of [property, `_${property}`]) {
    const list = container[name];
    if (!Array.isArray(list)) continue;
    shiftLiterals(list, index, -1);
    list.splice(index, 1);
  }
}

function partsOf(parts: readonly unknown[], type: string, at: string): JsonObject {
  const content: JsonObject = {};
  for (const part of parts) {
    const name = isJsonObject(part) && typeof part.name === 'string' ? part.name : '';
    const element = elementOf(type, name);
    if (!element || !isJsonObject(part)) throw patchFault(400, 'invalid', `${type} has no element of this name`, at);
    const value = patchValueOf(part, element, at);
    const property = propertyFor(element, value, at);
    const held = content[property] ?? content[`_${property}`];
    if (!element.repeats && held !== undefined) throw patchFault(400, 'invalid', 'an element is given twice', at);
    put(content, property, element.repeats ? (Array.isArray(held) ? held.length : 0) : undefined, value);
  }
  return content;
}
