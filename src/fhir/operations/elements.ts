/** Elements of the R4 types as JSON has them: one entry per property, the types of a choice apart. Each type is read when first asked for. */
import { choiceProperty, parseElement, type StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';

export interface ElementOfType {
  /** Name in FHIRPath: `value` for `valueQuantity`. */
  name: string;
  /** Type, a part of one by its path (`Patient.contact`), or `Resource`. */
  type: string;
  repeats: boolean;
  isChoice: boolean;
  isPrimitive: boolean;
}

export interface ElementTable {
  /** By JSON property, without the `_` twins of primitives; undefined when there is no such type. */
  of(type: string): ReadonlyMap<string, ElementOfType> | undefined;
  isPrimitive(type: string): boolean;
}

export const r4Elements: ElementTable = elementTable(r4Structure);

function elementTable(structure: StructureFile): ElementTable {
  const known = new Map<string, ReadonlyMap<string, ElementOfType>>();
  const typeNamed = (name: string) => (Object.hasOwn(structure.types, name) ? structure.types[name] : undefined);
  // FHIRPath's own primitives (`http://hl7.org/fhirpath/System.String`) have no entry.
  const isPrimitive = (type: string) => typeNamed(type)?.kind === 'primitive' || typeNamed(type) === undefined;
  return {
    isPrimitive,
    of(name) {
      let elements = known.get(name);
      if (!elements && typeNamed(name)) {
        const found = new Map<string, ElementOfType>();
        for (let type = typeNamed(name); type; type = type.base ? typeNamed(type.base) : undefined) {
          for (const [element, notation] of Object.entries(type.elements)) add(found, element, notation, isPrimitive);
        }
        elements = found;
        known.set(name, found);
      }
      return elements;
    },
  };
}

function add(
  found: Map<string, ElementOfType>,
  element: string,
  notation: string,
  isPrimitive: (type: string) => boolean,
): void {
  const { types, repeats } = parseElement(notation);
  const isChoice = element.endsWith('[x]');
  const name = isChoice ? element.slice(0, -3) : element;
  for (const { code } of types) {
    const property = isChoice ? choiceProperty(name, code) : name;
    if (!found.has(property))
      found.set(property, { name, type: code, repeats, isChoice, isPrimitive: isPrimitive(code) });
  }
}
