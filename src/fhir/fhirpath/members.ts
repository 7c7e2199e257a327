/** Paths: which JSON properties a name means, by the type of what it is read from. */
import type { ElementShape, PropertyShape, Shapes } from '../definitions/shapes.ts';
import { type Compiled, fromItems, type Items } from './compiled.ts';
import { quantityTypes } from './order.ts';
import { FhirPathError } from './tokens.ts';
import { isObject, isPair, readProperty } from './values.ts';

/** `input.name`. @throws FhirPathError when no item of the input can have such an element. */
export function compileMember(input: Compiled, name: string, shapes: Shapes, isFocus: boolean): Compiled {
  const types = input.types;
  if (types === undefined || types.some((type) => isOpen(type))) {
    if (isFocus && shapes.isResource(name)) return resourcesOfType(input, name, shapes);
    return dynamicMember(input, name, shapes);
  }
  const elements = types.flatMap((type) => shapes.of(type)?.elements.get(name) ?? []);
  if (elements.length === 0) {
    // A name of a type is the focus when that is of the type: `Patient.name`.
    if (isFocus && types.some((type) => shapes.lineage(type).includes(name))) return input;
    const literal = literalProperty(types, name, shapes);
    if (literal) return staticMember(input, [literal]);
    throw new FhirPathError(`${types.join(' or ')} has no element ${name}`);
  }
  return staticMember(input, propertiesOf(elements));
}

/** The items that are resources of a type, or of one that specialises it. */
export function resourcesOfType(input: Compiled, name: string, shapes: Shapes): Compiled {
  return fromItems(
    (focus, scope) =>
      input.items(focus, scope).filter((item) => {
        const type = isObject(item) ? item.resourceType : undefined;
        return typeof type === 'string' && shapes.lineage(type).includes(name);
      }),
    [name],
  );
}

/** Types whose instances say themselves what they are. */
function isOpen(type: string): boolean {
  return type === 'Resource' || type === 'DomainResource' || type === 'Element' || type === 'BackboneElement';
}

function propertiesOf(elements: readonly ElementShape[]): PropertyShape[] {
  const properties = new Map<string, PropertyShape>();
  for (const element of elements) {
    for (const property of element.properties) properties.set(`${property.property} ${property.type}`, property);
  }
  return [...properties.values()];
}

/** Some expressions name the JSON property of a choice: `valueQuantity`. */
function literalProperty(types: readonly string[], name: string, shapes: Shapes): PropertyShape | undefined {
  for (const type of types) {
    for (const element of shapes.of(type)?.elements.values() ?? []) {
      const property = element.isChoice
        ? element.properties.find((candidate) => candidate.property === name)
        : undefined;
      if (property) return property;
    }
  }
  return undefined;
}

function staticMember(input: Compiled, properties: readonly PropertyShape[]): Compiled {
  const readings = [...new Set(properties.map(({ property }) => property))].map((property) => ({
    property,
    shadow: properties.some((each) => each.property === property && each.primitive) ? `_${property}` : noShadow,
  }));
  const [only, ...others] = readings;
  const read =
    only && others.length === 0
      ? (item: unknown, into: unknown[]) => readProperty(item, only.property, only.shadow, into)
      : (item: unknown, into: unknown[]) => {
          for (const { property, shadow } of readings) readProperty(item, property, shadow, into);
        };
  const types = [...new Set(properties.map(({ type }) => type))];
  return fromItems(
    (focus, scope) => {
      const values: unknown[] = [];
      const items = input.items(focus, scope);
      for (let at = 0; at < items.length; at++) read(items[at], values);
      return values;
    },
    types,
    {
      exists: (focus, scope) => existsIn(input.items(focus, scope), readings),
      ofType: (type) => {
        // An Age is a Quantity.
        const isOf = (own: string) => own === type || (type === 'Quantity' && quantityTypes.has(own));
        const kept = properties.filter((property) => isOf(property.type));
        return kept.length > 0 ? staticMember(input, kept) : undefined;
      },
    },
  );
}

/** A property that JSON never has. */
const noShadow = '_';

function existsIn(items: Items, readings: readonly { property: string; shadow: string }[]): boolean {
  for (let at = 0; at < items.length; at++) {
    const item = items[at];
    if (!isObject(item)) continue;
    const holder: Record<string, unknown> = isPair(item) ? item.element : item;
    for (const { property, shadow } of readings) {
      const value = holder[property];
      if (value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)) return true;
      if (holder[shadow] !== undefined) return true;
    }
  }
  return false;
}

/** The type of the input is told by the items, or not at all: then every spelling of a choice is tried. */
function dynamicMember(input: Compiled, name: string, shapes: Shapes): Compiled {
  const restricted = (keep?: string): Compiled =>
    fromItems(
      (focus, scope) => {
        const values: unknown[] = [];
        for (const item of input.items(focus, scope)) {
          for (const { property } of dynamicProperties(item, name, shapes))
            if (keep === undefined || property === name + keep[0]!.toUpperCase() + keep.slice(1))
              readProperty(item, property, `_${property}`, values);
        }
        return values;
      },
      keep === undefined ? undefined : [keep],
    );
  return { ...restricted(), ofType: (type) => restricted(type) };
}

function dynamicProperties(item: unknown, name: string, shapes: Shapes): readonly { property: string }[] {
  if (!isObject(item)) return [];
  const holder: Record<string, unknown> = isPair(item) ? item.element : item;
  const shape = typeof holder.resourceType === 'string' ? shapes.of(holder.resourceType) : undefined;
  const element = shape?.elements.get(name);
  if (shape) return element?.properties ?? [];
  if (name in holder || `_${name}` in holder) return [{ property: name }];
  const found = new Set(Object.keys(holder).map((property) => property.replace(/^_/, '')));
  const choices = [...found].filter(
    (property) =>
      property.startsWith(name) &&
      /^[A-Z][A-Za-z0-9]*$/.test(property.slice(name.length)) &&
      shapes.of(typeSuffix(property, name)) !== undefined,
  );
  return choices.map((property) => ({ property }));

  function typeSuffix(property: string, prefix: string): string {
    const suffix = property.slice(prefix.length);
    return shapes.of(suffix) ? suffix : suffix[0]!.toLowerCase() + suffix.slice(1);
  }
}
