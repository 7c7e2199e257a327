/** The elements of every type with what they inherit, by name: what a path through a resource can reach. */
import { choiceProperty, type ElementRule, parseElement, type StructureFile } from './structure-file.ts';

/** One JSON property of an element. */
export interface PropertyShape {
  property: string;
  type: string;
  /** Has a `_` twin. */
  primitive: boolean;
}

export interface ElementShape {
  /** Without `[x]`. */
  name: string;
  isChoice: boolean;
  rule: ElementRule;
  /** As many as the element has types when it is a choice, else one. */
  properties: readonly PropertyShape[];
}

export interface Shape {
  name: string;
  kind: 'resource' | 'complex' | 'primitive';
  base?: string;
  elements: ReadonlyMap<string, ElementShape>;
}

export interface Shapes {
  of(type: string): Shape | undefined;
  /** The type itself and everything it specialises, nearest first. */
  lineage(type: string): readonly string[];
  isResource(type: string): boolean;
  isPrimitive(type: string): boolean;
}

export function createShapes(structure: StructureFile): Shapes {
  const known = new Map<string, Shape | undefined>();

  function of(type: string): Shape | undefined {
    if (known.has(type)) return known.get(type);
    const shape = make(type);
    known.set(type, shape);
    return shape;
  }

  function make(name: string): Shape | undefined {
    const type = Object.hasOwn(structure.types, name) ? structure.types[name] : undefined;
    if (!type) return undefined;
    const elements = new Map(type.base ? of(type.base)?.elements : undefined);
    for (const [declared, notation] of Object.entries(type.elements)) {
      const isChoice = declared.endsWith('[x]');
      const element = isChoice ? declared.slice(0, -3) : declared;
      const rule = parseElement(notation);
      const properties = isChoice
        ? rule.types.map(({ code }) => propertyShape(choiceProperty(element, code), code))
        : [propertyShape(element, rule.types[0]!.code)];
      elements.set(element, { name: element, isChoice, rule, properties });
    }
    return { name, kind: type.kind, ...(type.base ? { base: type.base } : {}), elements };
  }

  const isPrimitive = (type: string) => structure.types[type]?.kind === 'primitive';
  const propertyShape = (property: string, type: string): PropertyShape => ({
    property,
    type,
    primitive: isPrimitive(type),
  });

  return {
    of,
    isPrimitive,
    isResource: (type) => structure.types[type]?.kind === 'resource',
    lineage(type) {
      const line: string[] = [];
      for (let name: string | undefined = type; name !== undefined; name = structure.types[name]?.base) line.push(name);
      return line;
    },
  };
}
