/** Elements of a type as JSON properties: what a FHIRPath Patch must know to put a value in its place. */
import { choiceProperty, type ElementRule, parseElement, type StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';

export interface Element {
  repeats: boolean;
  /** JSON properties with their types; several for a choice. */
  properties: readonly { property: string; type: string }[];
}

export function isPrimitive(type: string, structure: StructureFile = r4Structure): boolean {
  return Object.hasOwn(structure.types, type) && structure.types[type]!.kind === 'primitive';
}

/** The element of a type (inherited ones included) by its FHIRPath name: `value` also stands for `value[x]`. */
export function elementOf(type: string, name: string, structure: StructureFile = r4Structure): Element | undefined {
  const visited = Object.hasOwn(structure.types, type) ? structure.types[type] : undefined;
  for (let at = visited; at; at = at.base ? structure.types[at.base] : undefined) {
    for (const key of [name, `${name}[x]`]) {
      if (Object.hasOwn(at.elements, key)) return describe(name, key !== name, parseElement(at.elements[key]!));
    }
  }
  return undefined;
}

/**
 * The element of a type a JSON property belongs to: `value` for `valueQuantity`, `birthDate` for `_birthDate` too, whose type is then
 * that of what stands beside a primitive.
 */
export function elementOfProperty(
  type: string,
  property: string,
  structure: StructureFile = r4Structure,
): { name: string; type: string; repeats: boolean } | undefined {
  const isShadow = property.startsWith('_');
  const wanted = isShadow ? property.slice(1) : property;
  const visited = Object.hasOwn(structure.types, type) ? structure.types[type] : undefined;
  for (let at = visited; at; at = at.base ? structure.types[at.base] : undefined) {
    for (const [declared, notation] of Object.entries(at.elements)) {
      const isChoice = declared.endsWith('[x]');
      const name = isChoice ? declared.slice(0, -3) : declared;
      if (isChoice ? !wanted.startsWith(name) : name !== wanted) continue;
      const { repeats, properties } = describe(name, isChoice, parseElement(notation));
      const found = properties.find((one) => one.property === wanted);
      if (!found || (isShadow && !isPrimitive(found.type, structure))) continue;
      return { name, type: isShadow ? 'Element' : found.type, repeats };
    }
  }
  return undefined;
}

function describe(name: string, isChoice: boolean, { repeats, types }: ElementRule): Element {
  return {
    repeats,
    properties: types.map(({ code }) => ({ property: isChoice ? choiceProperty(name, code) : name, type: code })),
  };
}
