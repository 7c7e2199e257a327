/** FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): Parameters whose `operation` parameters are run in order, all or none. */
import { hasLiterals, literalOf, markHolder } from '../json/index.ts';
import { type Element, elementOf, isPrimitive } from './elements.ts';
import { patchFault } from './fault.ts';
import { isJsonObject, type JsonObject } from './json-pointer.ts';
import { companionOf, contentOf, type Navigator, navigator, onlyOne, type Place, typeInside } from './places.ts';
import { closeAt, openAt, patchValueOf, propertyFor, put, setCompanion } from './values.ts';

const maxOperations = 1000;

interface Step {
  /** The operation's parts by name. */
  parts: ReadonlyMap<string, JsonObject>;
  /** `Parameters.parameter[n]` */
  at: string;
  navigate: Navigator;
}

/** Applies the operations to `resource`, which they change. @throws FhirError 400 malformed, 422 not applicable. */
export function applyFhirPathPatch(resource: JsonObject, parameters: JsonObject): JsonObject {
  const operations = Array.isArray(parameters.parameter) ? parameters.parameter : [];
  if (operations.length === 0)
    throw patchFault(400, 'required', 'a patch has at least one operation', 'Parameters.parameter');
  if (operations.length > maxOperations)
    throw patchFault(400, 'too-costly', `a patch has at most ${maxOperations} operations`, 'Parameters.parameter');
  const navigate = navigator(resource);
  for (const [index, operation] of operations.entries()) run(operation, `Parameters.parameter[${index}]`, navigate);
  if (hasLiterals(parameters)) markHolder(resource);
  return (withoutEmpty(resource) ?? {}) as JsonObject;
}

function run(operation: unknown, at: string, navigate: Navigator): void {
  if (!isJsonObject(operation) || operation.name !== 'operation' || !Array.isArray(operation.part))
    throw patchFault(400, 'invalid', 'must be an operation with parts', at);
  const parts = new Map<string, JsonObject>();
  for (const part of operation.part) {
    if (!isJsonObject(part) || typeof part.name !== 'string' || parts.has(part.name))
      throw patchFault(400, 'invalid', 'each part has a name of its own', `${at}.part`);
    parts.set(part.name, part);
  }
  const step: Step = { parts, at, navigate };
  const kind = textOf(step, 'type');
  if (!Object.hasOwn(kinds, kind))
    throw patchFault(400, 'not-supported', 'type must be add, insert, delete, replace or move', at);
  kinds[kind]!(step);
}

const kinds: Readonly<Record<string, (step: Step) => void>> = { add, insert, delete: remove, replace, move };

function add(step: Step): void {
  const { navigate, at } = step;
  const place = onlyOne(navigate.select(textOf(step, 'path'), at), at);
  const name = textOf(step, 'name');
  const { container, element } = insideOf(place, name, at);
  const value = patchValueOf(partOf(step, 'value'), element, at);
  const property = propertyFor(element, value, at);
  if (element.repeats) {
    put(container, property, listLength(container, property), value);
    return;
  }
  const isThere = element.properties.some(
    (one) => container[one.property] !== undefined || container[`_${one.property}`] !== undefined,
  );
  if (isThere) throw patchFault(422, 'duplicate', 'the element is there already: replace it', at);
  put(container, property, undefined, value);
}

function insert(step: Step): void {
  const { container, element, property, length } = listOf(step);
  const index = indexOf(step, 'index', length);
  openAt(container, property, index);
  put(container, property, index, patchValueOf(partOf(step, 'value'), element, step.at));
}

/** What is not there counts as deleted. */
function remove(step: Step): void {
  const places = step.navigate.select(textOf(step, 'path'), step.at);
  if (places.length === 0) return;
  const { container, property, index } = element(onlyOne(places, step.at), step.at);
  if (index !== undefined) closeAt(container, property, index);
  else for (const name of [property, `_${property}`]) delete container[name];
}

function replace(step: Step): void {
  const { navigate, at } = step;
  const place = element(onlyOne(navigate.select(textOf(step, 'path'), at), at), at);
  const { container, property, index, shape } = place;
  const value = patchValueOf(partOf(step, 'value'), shape, at);
  const target = propertyFor(shape, value, at);
  if (target !== property) {
    delete container[property];
    delete container[`_${property}`];
  }
  put(container, target, index, value);
}

function move(step: Step): void {
  const { container, property, length } = listOf(step);
  const from = indexOf(step, 'source', length - 1);
  const to = indexOf(step, 'destination', length - 1);
  const moved = { container, property, index: from, type: '' };
  const content = contentOf(moved) ?? undefined;
  const text =
    typeof content === 'number' ? literalOf(container[property] as object, String(from), content) : undefined;
  const companion = companionOf(moved);
  closeAt(container, property, from);
  openAt(container, property, to);
  put(container, property, to, {
    content,
    ...(companion ? { companion } : {}),
    origin: '',
    ...(text === undefined ? {} : { text }),
  });
}

/** The list a path names, there or not. */
function listOf(step: Step): { container: JsonObject; element: Element; property: string; length: number } {
  const { parent, name } = step.navigate.selectList(textOf(step, 'path'), step.at);
  const { container, element: shape } = insideOf(parent, name, step.at);
  if (!shape.repeats) throw patchFault(422, 'invalid', 'the element does not repeat', step.at);
  const { property } = shape.properties[0]!;
  return { container, element: shape, property, length: listLength(container, property) };
}

/** Where the children of an element live; of a primitive, in the object beside it, made when there is none. */
function insideOf(place: Place, name: string, at: string): { container: JsonObject; element: Element } {
  const content = isPrimitive(place.type) ? (companionOf(place) ?? {}) : contentOf(place);
  const found = elementOf(typeInside(place, content), name);
  if (!found) throw patchFault(400, 'invalid', 'the element has no child of this name', at);
  if (!isJsonObject(content)) throw patchFault(422, 'invalid', 'the path selects nothing that has children', at);
  if (isPrimitive(place.type)) setCompanion(place, content);
  return { container: content, element: found };
}

/** A place inside the resource, with the shape of its element: the resource itself is neither removed nor replaced. */
function element(place: Place, at: string): Place & { shape: Element } {
  const shape = place.within && elementOf(place.within.type, place.within.name);
  if (!shape) throw patchFault(422, 'invalid', 'the resource itself cannot be removed or replaced', at);
  return { ...place, shape };
}

function listLength(container: JsonObject, property: string): number {
  const lengths = [container[property], container[`_${property}`]].map((list) =>
    Array.isArray(list) ? list.length : 0,
  );
  return Math.max(...lengths);
}

function partOf({ parts, at }: Step, name: string): JsonObject {
  const part = parts.get(name);
  if (!part) throw patchFault(400, 'required', `the part ${name} is required`, at);
  return part;
}

function textOf(step: Step, name: string): string {
  const { valueCode, valueString } = partOf(step, name);
  const text = valueCode ?? valueString;
  if (typeof text !== 'string') throw patchFault(400, 'invalid', `the part ${name} must be a text`, step.at);
  return text;
}

function indexOf(step: Step, name: string, last: number): number {
  const { valueInteger, valueUnsignedInt } = partOf(step, name);
  const index = valueInteger ?? valueUnsignedInt;
  if (typeof index !== 'number' || !Number.isInteger(index))
    throw patchFault(400, 'invalid', `the part ${name} must be an integer`, step.at);
  if (index < 0 || index > last) throw patchFault(422, 'invalid', `the part ${name} is outside the list`, step.at);
  return index;
}

/** An element of FHIR has content: what lost all of it is gone, with the lists that held nothing else. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) value[index] = withoutEmpty(item) ?? null;
    return value.every((item) => item === null) ? undefined : value;
  }
  if (!isJsonObject(value)) return value;
  for (const [name, item] of Object.entries(value)) {
    if (withoutEmpty(item) === undefined) delete value[name];
  }
  for (const [name, item] of Object.entries(value)) {
    // `null` has a meaning only in lists that come in pairs.
    const isPaired = value[name.startsWith('_') ? name.slice(1) : `_${name}`] !== undefined;
    if (Array.isArray(item) && !isPaired && item.includes(null)) value[name] = item.filter((one) => one !== null);
  }
  return Object.keys(value).length > 0 ? value : undefined;
}
