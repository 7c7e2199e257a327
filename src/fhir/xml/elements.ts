/** What XML needs to know of a type: its elements in their order, and which of them are attributes (https://hl7.org/fhir/R4/xml.html). */
import { choiceProperty, parseElement, type StructureFile } from '../definitions/structure-file.ts';

/** One element of a type: the name it has in JSON and in XML. */
export interface XmlElement {
  name: string;
  /** Name in FHIRPath: `value` for `valueQuantity`. */
  step: string;
  /** Position among the elements of its type; base types come first. */
  order: number;
  repeats: boolean;
  kind: 'primitive' | 'complex' | 'resource' | 'xhtml';
  /** How a primitive is written in JSON. */
  json: 'string' | 'number' | 'boolean';
  type: string;
}

export interface XmlType {
  /** By name; those that are attributes in XML (`id`, `url` of an Extension) are not among them. */
  elements: ReadonlyMap<string, XmlElement>;
  attributes: ReadonlySet<string>;
}

export interface XmlTypes {
  /** @throws Error for a type that is not defined. */
  of(name: string): XmlType;
  isResource(name: string): boolean;
}

const numbers = new Set(['decimal', 'integer', 'positiveInt', 'unsignedInt']);

/** Types are read from the definitions when first met. */
export function xmlTypes(structure: StructureFile): XmlTypes {
  const known = new Map<string, XmlType>();

  function typeOf(name: string): XmlType {
    const definition = structure.types[name];
    if (!definition) throw new Error(`no definition of ${name}`);
    const isResource = definition.kind === 'resource';
    const attributes = new Set(isResource ? [] : name === 'Extension' ? ['id', 'url'] : ['id']);
    const elements = new Map<string, XmlElement>();
    for (const [declared, notation] of declaredElements(name)) {
      if (attributes.has(declared)) continue;
      const { repeats, types } = parseElement(notation);
      const isChoice = declared.endsWith('[x]');
      const step = isChoice ? declared.slice(0, -3) : declared;
      for (const { code } of types) {
        const property = isChoice ? choiceProperty(step, code) : step;
        elements.set(property, { name: property, step, order: elements.size, repeats, ...shapeOf(code) });
      }
    }
    return { elements, attributes };
  }

  function declaredElements(name: string): [string, string][] {
    const { base, elements } = structure.types[name]!;
    return [...(base ? declaredElements(base) : []), ...Object.entries(elements)];
  }

  function shapeOf(type: string): Pick<XmlElement, 'kind' | 'json' | 'type'> {
    const json = type === 'boolean' ? 'boolean' : numbers.has(type) ? 'number' : 'string';
    if (type === 'xhtml') return { kind: 'xhtml', json, type };
    return { kind: structure.types[type]!.kind, json, type };
  }

  return {
    of(name) {
      let type = known.get(name);
      if (!type) {
        type = typeOf(name);
        known.set(name, type);
      }
      return type;
    },
    isResource(name) {
      const type = Object.hasOwn(structure.types, name) ? structure.types[name] : undefined;
      return type?.kind === 'resource' && !type.abstract;
    },
  };
}
