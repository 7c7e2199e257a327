/**
 * Where in the content of a resource a token, reference or uri parameter finds its values, as SQL/JSON paths: for what has no
 * order or no name in an index.
 */
import type { Parameter } from './parameters.ts';
import { type PathNode, PathSyntaxError, parsePath } from './path-syntax.ts';

/** Paths of the texts a parameter is sorted by: codes, identifiers, references as written; undefined when paths cannot say it. */
export function contentPath({ expression, type }: Parameter): string[] | undefined {
  const elements = elementPaths(expression);
  if (!elements) return undefined;
  const scalar = ' ? (@.type() == "string" || @.type() == "boolean")';
  switch (type) {
    case 'token':
      return elements.flatMap((path) => [`${path}.coding.code`, `${path}.code`, `${path}.value`, path + scalar]);
    case 'reference':
      return elements.flatMap((path) => [`${path}.reference`, path + scalar]);
    case 'uri':
      return elements.map((path) => path + scalar);
    default:
      return undefined;
  }
}

/** SQL/JSON paths of the elements an expression selects; undefined when paths cannot say it. */
export function elementPaths(expression: string): string[] | undefined {
  try {
    return paths(parsePath(expression));
  } catch (error) {
    if (error instanceof PathSyntaxError) return undefined;
    throw error;
  }
}

/** Undefined for whatever is more than members, casts and simple filters. */
function paths(node: PathNode): string[] | undefined {
  switch (node.kind) {
    case 'this':
      return ['$'];
    case 'member':
      // The first name is the type of the resource.
      if (node.input.kind === 'this' && /^[A-Z]/.test(node.name)) return ['$'];
      return paths(node.input)?.map((path) => `${path}.${JSON.stringify(node.name)}`);
    case 'item':
      return paths(node.input)?.map((path) => `${path}[${node.index}]`);
    case 'type':
      if (node.operator !== 'as' || node.input.kind !== 'member') return undefined;
      return castPaths(node.input, node.type);
    case 'call':
      return node.name === 'where' ? filteredPaths(node) : undefined;
    case 'binary': {
      if (node.operator !== '|') return undefined;
      const left = paths(node.left);
      const right = paths(node.right);
      return left && right && [...left, ...right];
    }
    default:
      return undefined;
  }
}

/** `value as Quantity` is stored as `valueQuantity`; an element without a choice keeps its name. */
function castPaths(member: Extract<PathNode, { kind: 'member' }>, type: string): string[] | undefined {
  const name = member.name + type.charAt(0).toUpperCase() + type.slice(1);
  return paths(member.input)?.flatMap((path) => [
    `${path}.${JSON.stringify(name)}`,
    `${path}.${JSON.stringify(member.name)}`,
  ]);
}

function filteredPaths({ input, args: [test] }: Extract<PathNode, { kind: 'call' }>): string[] | undefined {
  const condition = test && filter(test);
  if (!condition) return undefined;
  return paths(input)?.map((path) => `${path} ? (${condition})`);
}

function filter(test: PathNode): string | undefined {
  if (test.kind === 'type' && test.operator === 'is' && test.input.kind === 'call' && test.input.name === 'resolve') {
    return `@.reference like_regex ${JSON.stringify(`(^|/)${test.type}/[^/]+(/_history/[^/]+)?$`)}`;
  }
  if (test.kind === 'binary' && test.operator === '=' && test.left.kind === 'member' && test.right.kind === 'literal') {
    if (test.left.input.kind !== 'this') return undefined;
    return `@.${JSON.stringify(test.left.name)} == ${JSON.stringify(test.right.value)}`;
  }
  return undefined;
}
