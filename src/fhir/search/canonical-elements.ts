/**
 * Whether a reference parameter finds canonicals: addresses of definitions, which name their target by its `url` and not by type and id
 * (https://hl7.org/fhir/R4/references.html#canonical).
 */
import type { Shapes } from '../definitions/shapes.ts';
import { type PathNode, PathSyntaxError, parsePath } from './path-syntax.ts';

/** What the values of a reference parameter are: References, canonicals, or perhaps both. */
export type ReferenceForm = 'literal' | 'canonical' | 'either';

const addresses = ['canonical', 'uri', 'url'];

/** `either` for what the expression does not tell. */
export function referenceForm(shapes: Shapes, resourceType: string, expression: string): ReferenceForm {
  const types = elementTypes(shapes, resourceType, expression);
  if (types === undefined) return 'either';
  const canonical = types.some((type) => addresses.includes(type));
  return canonical ? (types.every((type) => addresses.includes(type)) ? 'canonical' : 'either') : 'literal';
}

/** Types of the elements a path leads to; undefined when it is more than members, casts and filters. */
function elementTypes(shapes: Shapes, resourceType: string, expression: string): string[] | undefined {
  const typesOf = (node: PathNode): string[] | undefined => {
    switch (node.kind) {
      case 'this':
        return [resourceType];
      case 'member':
        return node.input.kind === 'this' && /^[A-Z]/.test(node.name)
          ? [resourceType]
          : membersOf(shapes, typesOf(node.input), node.name);
      case 'item':
        return typesOf(node.input);
      case 'type':
        return node.operator === 'as' ? [node.type] : undefined;
      case 'call':
        return node.name === 'where' ? typesOf(node.input) : undefined;
      case 'binary': {
        const [left, right] = [typesOf(node.left), typesOf(node.right)];
        return node.operator === '|' && left && right ? [...left, ...right] : undefined;
      }
      default:
        return undefined;
    }
  };
  try {
    return typesOf(parsePath(expression));
  } catch (error) {
    if (error instanceof PathSyntaxError) return undefined;
    throw error;
  }
}

function membersOf(shapes: Shapes, types: readonly string[] | undefined, name: string): string[] | undefined {
  const found: string[] = [];
  for (const type of types ?? []) {
    const element = shapes.of(type)?.elements.get(name);
    if (!element) return undefined;
    found.push(...element.properties.map((property) => property.type));
  }
  return types && found;
}
