/**
 * Elements of type `code` have no system of their own: the required value set they are bound to says it
 * (https://hl7.org/fhir/R4/search.html#token), so that `gender=http://hl7.org/fhir/administrative-gender|male` asks for `male`.
 */
import { parseElement, type StructureFile } from '../definitions/structure-file.ts';
import { r4Structure } from '../definitions/structure-r4.ts';
import { type PathNode, PathSyntaxError, parsePath } from './path-syntax.ts';

/** Codes that elements of a parameter can hold of a system which they do not name; undefined when there are none. */
export type ImpliedCodes = (
  resourceType: string,
  expression: string,
  system: string,
) => ReadonlySet<string> | undefined;

type BySystem = ReadonlyMap<string, ReadonlySet<string>>;

/** Makes the look-up; what it found out about an expression is remembered. */
export function createImpliedCodes(structure: StructureFile = r4Structure): ImpliedCodes {
  const known = new Map<string, BySystem>();
  return (resourceType, expression, system) => {
    const name = `${resourceType} ${expression}`;
    const codes = known.get(name) ?? impliedBy(structure, resourceType, expression);
    known.set(name, codes);
    return codes.get(system);
  };
}

/** An element an expression leads to: the type of what it holds, and the value set it must be from. */
interface Place {
  type: string;
  valueSet?: string | undefined;
}

function impliedBy(structure: StructureFile, resourceType: string, expression: string): BySystem {
  const bySystem = new Map<string, Set<string>>();
  for (const { type, valueSet } of placesOf(structure, resourceType, expression)) {
    // A value set that is not written out, or any other element: a code there says nothing of its system.
    const codes = type === 'code' && valueSet !== undefined ? structure.valueSets[valueSet] : undefined;
    if (!codes) return new Map();
    for (const [system, list] of Object.entries(codes)) {
      const all = bySystem.get(system) ?? new Set();
      bySystem.set(system, all);
      for (const code of list.split(' ')) all.add(code);
    }
  }
  return bySystem;
}

function placesOf(structure: StructureFile, resourceType: string, expression: string): Place[] {
  try {
    return places(parsePath(expression), structure, resourceType);
  } catch (error) {
    if (error instanceof PathSyntaxError) return [];
    throw error;
  }
}

function places(node: PathNode, structure: StructureFile, resourceType: string): Place[] {
  const of = (inner: PathNode) => places(inner, structure, resourceType);
  switch (node.kind) {
    case 'this':
      return [{ type: resourceType }];
    case 'member':
      // The first name is the type of the resource.
      if (node.input.kind === 'this' && /^[A-Z]/.test(node.name)) return of(node.input);
      return of(node.input).flatMap(({ type }) => elementOf(structure, type, node.name));
    case 'item':
      return of(node.input);
    case 'type':
      return node.operator === 'as' ? of(node.input).filter(({ type }) => type === node.type) : [];
    case 'call':
      return node.name === 'where' || node.name === 'first' ? of(node.input) : [];
    case 'binary':
      return node.operator === '|' ? [...of(node.left), ...of(node.right)] : [];
    default:
      return [];
  }
}

function elementOf({ types }: StructureFile, owner: string, name: string): Place[] {
  for (let type = typeNamed(types, owner); type; type = type.base ? typeNamed(types, type.base) : undefined) {
    const notation = type.elements[name] ?? type.elements[`${name}[x]`];
    if (notation === undefined) continue;
    const rule = parseElement(notation);
    return rule.types.map(({ code }) => ({ type: code, valueSet: rule.valueSet }));
  }
  return [];
}

function typeNamed(types: StructureFile['types'], name: string) {
  return Object.hasOwn(types, name) ? types[name] : undefined;
}
