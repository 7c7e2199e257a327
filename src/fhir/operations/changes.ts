/**
 * What changed between two resources of one type, as FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html): applied to the first
 * in order, the operations make the second. Lists are compared from both ends; what differs between is replaced, inserted or deleted.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Parameters, ParametersParameter, Resource } from '@medplum/fhirtypes';
import { hasLiterals, keepLiterals, literalOf, markHolder, remember } from '../json/index.ts';
import { type ElementOfType, r4Elements } from './elements.ts';

/** One value of an element: of a primitive the value and its extensions, which JSON keeps apart. */
interface Value {
  element: ElementOfType;
  value: unknown;
  twin: unknown;
  /** How the number was written, when that is not how it would be written now: 1.0 and 1.00 are different results. */
  text?: string;
}

/** @param ignored top-level elements left aside. */
export function changesBetween(from: Resource, to: Resource, ignored: readonly string[]): Parameters {
  const operations: ParametersParameter[] = [];
  const without = (resource: Resource) =>
    keepLiterals(resource, Object.fromEntries(Object.entries(resource).filter(([name]) => !ignored.includes(name))));
  compareObjects(without(from), without(to), from.resourceType, from.resourceType, operations);
  const changes: Parameters = {
    resourceType: 'Parameters',
    ...(operations.length > 0 ? { parameter: operations } : {}),
  };
  if (hasLiterals(to)) markHolder(changes);
  return changes;
}

type Json = Readonly<Record<string, unknown>>;

function compareObjects(from: Json, to: Json, type: string, path: string, into: ParametersParameter[]): void {
  const [before, after] = [valuesOf(from, type), valuesOf(to, type)];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    compareLists(before.get(name) ?? [], after.get(name) ?? [], { path, name }, into);
  }
}

/** Values by FHIRPath name; elements no definition knows stay out, stored resources have none. */
function valuesOf(object: Json, type: string): Map<string, Value[]> {
  const elements = r4Elements.of(type);
  const values = new Map<string, Value[]>();
  for (const property of new Set(Object.keys(object).map((key) => key.replace(/^_/, '')))) {
    const element = elements?.get(property);
    if (!element) continue;
    const list = asList(object[property]);
    const twins = asList(object[`_${property}`]);
    const length = Math.max(list.length, twins.length);
    values.set(
      element.name,
      Array.from({ length }, (_, index) => ({
        element,
        value: list[index] ?? undefined,
        twin: twins[index] ?? undefined,
        ...writtenAs(object, property, index),
      })),
    );
  }
  return values;
}

function writtenAs(object: Json, property: string, index: number): { text?: string } {
  const held = object[property];
  const [holder, name] = Array.isArray(held) ? [held, String(index)] : [object, property];
  const value = Array.isArray(held) ? held[index] : held;
  const text = typeof value === 'number' ? literalOf(holder, name, value) : undefined;
  return text === undefined ? {} : { text };
}

function asList(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function compareLists(
  before: readonly Value[],
  after: readonly Value[],
  at: { path: string; name: string },
  into: ParametersParameter[],
): void {
  const repeats = (before[0] ?? after[0])?.element.repeats ?? false;
  const list = `${at.path}.${at.name}`;
  const itemPath = (index: number) => (repeats ? `${list}[${index}]` : list);
  let start = 0;
  while (start < before.length && start < after.length && same(before[start]!, after[start]!)) start++;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - start && same(before.at(-1 - tail)!, after.at(-1 - tail)!))
    tail++;
  const [endBefore, endAfter] = [before.length - tail, after.length - tail];
  const common = Math.min(endBefore, endAfter);
  for (let index = start; index < common; index++) compareValues(before[index]!, after[index]!, itemPath(index), into);
  // From the end, so that what is deleted does not move what is still to be.
  for (let index = endBefore - 1; index >= common; index--) into.push(operation('delete', itemPath(index)));
  for (let index = common; index < endAfter; index++) {
    const isLast = index >= endBefore && tail === 0;
    into.push(
      isLast
        ? operation('add', at.path, [{ name: 'name', valueString: at.name }, valuePart(after[index]!)])
        : operation('insert', list, [valuePart(after[index]!), { name: 'index', valueInteger: index }]),
    );
  }
}

/** Of objects, what they remember of their numbers is compared with them. */
function same(a: Value, b: Value): boolean {
  if (a.element.type !== b.element.type || a.text !== b.text) return false;
  return isDeepStrictEqual(a.value, b.value) && isDeepStrictEqual(a.twin, b.twin);
}

/** Inside an object the change is looked for further down; a resource in a resource is replaced as a whole. */
function compareValues(before: Value, after: Value, path: string, into: ParametersParameter[]): void {
  if (same(before, after)) return;
  const { type, isPrimitive } = after.element;
  if (before.element.type !== type || isPrimitive || type === 'Resource') {
    into.push(operation('replace', path, [valuePart(after)]));
    return;
  }
  compareObjects(before.value as Json, after.value as Json, type, path, into);
}

function operation(type: 'add' | 'insert' | 'delete' | 'replace', path: string, more: ParametersParameter[] = []) {
  return {
    name: 'operation',
    part: [{ name: 'type', valueCode: type }, { name: 'path', valueString: path }, ...more],
  } satisfies ParametersParameter;
}

function valuePart(value: Value): ParametersParameter {
  return namedValue('value', value);
}

/** A data type goes into `value[x]`; what has no name of its own (a part of a type) is given element by element. */
function namedValue(name: string, { element, value, twin, text }: Value): ParametersParameter {
  if (element.type === 'Resource') return { name, resource: value as Resource };
  const property = valueProperty(element.type);
  if (property) {
    const parameter = { name, ...(value === undefined ? {} : { [property]: value }) };
    if (text !== undefined) remember(parameter, property, text);
    return (twin === undefined ? parameter : { ...parameter, [`_${property}`]: twin }) as ParametersParameter;
  }
  const parts = [...valuesOf(value as Json, element.type)].flatMap(([part, list]) =>
    list.map((item) => namedValue(part, item)),
  );
  return { name, part: parts };
}

const valueProperties = new Map(
  [...(r4Elements.of('Parameters.parameter') ?? [])].flatMap(([property, { name, type }]): [string, string][] =>
    name === 'value' ? [[type, property]] : [],
  ),
);

/** Types without a place of their own in `value[x]` whose values are those of another. */
const standIns: Readonly<Record<string, string>> = {
  xhtml: 'valueString',
  SimpleQuantity: 'valueQuantity',
  MoneyQuantity: 'valueQuantity',
};

function valueProperty(type: string): string | undefined {
  return valueProperties.get(type) ?? standIns[type] ?? (r4Elements.isPrimitive(type) ? 'valueString' : undefined);
}
